#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace memprof::simulator {

using TokenId = std::int32_t;

/// What a full block is found by: its tokens and all that comes before them. Two different contents
/// have the same one with a chance of about 2^-64; vLLM's own is SHA-256. Never 0.
using BlockHash = std::uint64_t;

namespace detail {
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  a = (a ^ b) * 0x9e3779b97f4a7c15u;
  a = (a ^ (a >> 32)) * 0xd1b54a32d192ed03u;
  return a ^ (a >> 29);
}
}  // namespace detail

/// What the first block of a prompt builds on. A salt sets all blocks of its prompt apart.
constexpr BlockHash root_hash(std::string_view cache_salt) {
  BlockHash hash = 0x2545f4914f6cdd1du;
  for (const char c : cache_salt) hash = detail::mix(hash, static_cast<unsigned char>(c) + 1u);
  return hash;
}

constexpr BlockHash block_hash(BlockHash parent, std::span<const TokenId> tokens) {
  BlockHash hash = parent;
  for (const auto token : tokens) {
    hash = detail::mix(hash, static_cast<std::uint32_t>(token));
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace memprof::simulator
