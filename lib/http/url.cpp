#include "http/url.hpp"

#include <boost/url.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

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
  if (const auto v4 = boost::urls::parse_ipv4_address(host)) return v4->is_loopback();
  if (const auto v6 = boost::urls::parse_ipv6_address(host)) return v6->is_loopback();
  return host == "localhost";
}

Result<Url> parse_url(std::string_view text, std::string_view flag) {
  const auto parsed = boost::urls::parse_uri(text);
  if (parsed.has_error()) return refused(flag, "cannot be read");
  if (parsed->has_userinfo()) {
    return refused(flag,
                   "must not hold a user or a password (use --api-key-file or --header-file)");
  }
  const auto scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) {
    return refused(flag, "must begin with http:// or https://");
  }
  if (parsed->host().empty()) return refused(flag, "has no host");
  // Decoded, it could hold a line end, and end up in the Host header.
  if (parsed->encoded_host().find('%') != std::string_view::npos) {
    return refused(flag, "has a percent-encoded host");
  }
  if (parsed->has_query() || parsed->has_fragment()) {
    return refused(flag, "must not hold a query or a fragment");
  }
  Url url;
  url.tls = scheme == boost::urls::scheme::https;
  url.host = parsed->host_type() == boost::urls::host_type::ipv6
                 ? std::string(parsed->host_address())
                 : std::string(parsed->host());
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  // port_number() of 99999 is 34463, and of a port that is no number the path begins.
  const std::string_view digits(parsed->port());
  std::uint16_t port = url.tls ? 443 : 80;
  if (!digits.empty()) {
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (read.ec != std::errc()) port = 0;
  }
  url.path = std::string(parsed->encoded_path());
  if (port == 0 || (!url.path.empty() && !url.path.starts_with('/'))) {
    return refused(flag, "has a port that is not 1 to 65535");
  }
  url.port = port;
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

}  // namespace memprof::http
