#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What libFuzzer calls; 0: the input may join the corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace memprof::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A finding, unless `holds`.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// How a text reaches its reader: at once, a byte at a time, or in pieces whose sizes come from the
/// bytes before them, so that every change of the text cuts it elsewhere.
enum class Cut { whole, bytes, pieces };
inline constexpr Cut kSplits[] = {Cut::bytes, Cut::pieces};

/// Calls `feed(piece)` until the text is through or `feed` gives false.
template <class Feed>
void in_pieces(std::string_view text, Cut cut, Feed&& feed) {
  std::uint32_t mix = 1;
  while (!text.empty()) {
    mix = mix * 31 + static_cast<std::uint8_t>(text.front());
    const std::size_t most = cut == Cut::whole ? text.size() : cut == Cut::bytes ? 1 : 1 + mix % 24;
    const auto piece = text.substr(0, most);
    for (const char c : piece) mix = mix * 31 + static_cast<std::uint8_t>(c);
    if (!feed(piece)) return;
    text.remove_prefix(piece.size());
  }
}

/// What `read(text, cut)` makes of the text given at once, which any split must give as well.
template <class Read>
auto read_alike(std::string_view text, Read&& read, const char* what) {
  auto whole = read(text, Cut::whole);
  for (const auto cut : kSplits) require(read(text, cut) == whole, what);
  return whole;
}

}  // namespace memprof::fuzz
