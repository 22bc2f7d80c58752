#include "formats/sse.hpp"

#include "input.hpp"

#include <string>
#include <vector>

namespace memprof::fuzz {
namespace {

struct Events final : formats::SseScanner::Sink {
  std::vector<std::string> data;
  void on_event(std::string_view event) override { data.emplace_back(event); }
};

std::vector<std::string> read(std::string_view text, Cut cut) {
  Events events;
  formats::SseScanner scanner(events);
  in_pieces(text, cut, [&](std::string_view piece) { return scanner.feed(piece); });
  return events.data;
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof::fuzz;
  read_alike(text_of(data, size), memprof::fuzz::read, "any split, the same events");
  return 0;
}
