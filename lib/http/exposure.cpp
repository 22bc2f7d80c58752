#include "http/exposure.hpp"

#include "http/this_host.hpp"

#include <fmt/format.h>

namespace memprof::http {

bool exposes_secrets(const Url& url, const std::vector<Header>& headers) {
  return !url.tls && !headers.empty() && !is_this_host(url.host);
}

std::vector<std::string> exposures(const Url& url, const std::vector<Header>& headers,
                                   bool insecure) {
  std::vector<std::string> warnings;
  if (url.tls && insecure) {
    warnings.push_back(fmt::format(
        "--insecure: the certificate of https://{} is not checked, so another server may be there{}"
        "; give its certificate with --ca-file",
        url.authority(), headers.empty() ? "" : " and get the key"));
  }
  if (exposes_secrets(url, headers)) {
    warnings.push_back(fmt::format(
        "a key or header value goes to http://{} unencrypted, for anyone on the way to read; use "
        "https",
        url.authority()));
  }
  return warnings;
}

}  // namespace memprof::http
