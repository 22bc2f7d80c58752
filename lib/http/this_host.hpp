#pragma once

#include <string>

namespace memprof::http {

/// Whether `host` (a name or an address) is an address of this machine; a tunnel's end looks the
/// same. May ask the resolver.
bool is_this_host(const std::string& host);

}  // namespace memprof::http
