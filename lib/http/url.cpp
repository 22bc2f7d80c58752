#include "http/url.hpp"

#include <boost/url.hpp>
#include <fmt/format.h>

namespace memprof::http {
namespace {

Error refused(std::string_view flag, std::string_view why) {
  return {ExitCode::usage,
          fmt::format("{}: the URL {}; give one like http://127.0.0.1:8000/v1", flag, why)};
}

}  // namespace

std::string Url::target(std::string_view below) const {
  std::string out = path;
  out += below;
  return out.empty() ? "/" : out;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::to_string() const {
  return fmt::format("{}://{}{}", tls ? "https" : "http", authority(), path);
}

bool Url::is_loopback() const {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<Url> parse_url(std::string_view text, std::string_view flag) {
  const auto parsed = boost::urls::parse_uri(text);
  if (parsed.has_error()) return refused(flag, "cannot be read");
  if (parsed->has_userinfo()) {
    return refused(flag, "must not hold a user or a password (use --api-key-file or --header-file)");
  }
  if (parsed->scheme() != "http" && parsed->scheme() != "https") {
    return refused(flag, "must begin with http:// or https://");
  }
  if (parsed->host().empty()) return refused(flag, "has no host");
  if (parsed->has_query() || parsed->has_fragment()) {
    return refused(flag, "must not hold a query or a fragment");
  }
  Url url;
  url.tls = parsed->scheme() == "https";
  url.host = parsed->host_type() == boost::urls::host_type::ipv6
                 ? std::string(parsed->host_address())
                 : std::string(parsed->host());
  if (parsed->has_port() && !parsed->port().empty() && parsed->port_number() == 0) {
    return refused(flag, "has a port that is not 1 to 65535");
  }
  url.port = parsed->port_number() != 0 ? parsed->port_number()
                                        : static_cast<std::uint16_t>(url.tls ? 443 : 80);
  url.path = std::string(parsed->encoded_path());
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

}  // namespace memprof::http
