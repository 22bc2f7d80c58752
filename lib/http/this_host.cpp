#include "http/this_host.hpp"

#include <cstring>
#include <memory>
#include <set>

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

namespace memprof::http {
namespace {

std::string address_bytes(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr};
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    return {reinterpret_cast<const char*>(&v6.sin6_addr), sizeof v6.sin6_addr};
  }
  return {};
}

std::set<std::string> own_addresses() {
  std::set<std::string> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (auto bytes = address_bytes(entry->ifa_addr); !bytes.empty()) {
      addresses.insert(std::move(bytes));
    }
  }
  ::freeifaddrs(list);
  return addresses;
}

}  // namespace

bool is_this_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, &::freeaddrinfo);
  const auto own = own_addresses();
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    const auto bytes = address_bytes(entry->ai_addr);
    const bool loopback = bytes.size() == sizeof(in_addr) && bytes[0] == 127;
    const bool unspecified = bytes.find_first_not_of('\0') == std::string::npos;  // 0.0.0.0, ::
    if (loopback || unspecified || own.count(bytes) > 0) return true;
  }
  return false;
}

}  // namespace memprof::http
