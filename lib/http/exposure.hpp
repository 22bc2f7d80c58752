#pragma once

#include "http/credentials.hpp"
#include "http/url.hpp"

#include <string>
#include <vector>

namespace memprof::http {

/// What is sent to `url` can be read on its way: a key or header value, to another machine, without
/// TLS. May ask the resolver.
bool exposes_secrets(const Url& url, const std::vector<Header>& headers);

/// What a person has to know before anything is sent there, as warnings; empty: nothing.
std::vector<std::string> exposures(const Url& url, const std::vector<Header>& headers,
                                   bool insecure);

}  // namespace memprof::http
