#include "formats/startup_log.hpp"

#include "formats/json.hpp"
#include "input.hpp"

namespace memprof::fuzz {
namespace {

std::string read(std::string_view text, Cut cut) {
  formats::StartupLogReader reader;
  in_pieces(text, cut, [&](std::string_view piece) { return reader.feed(piece), true; });
  return formats::pretty_json(formats::to_json(reader.finish()));
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof::fuzz;
  read_alike(text_of(data, size), memprof::fuzz::read, "any split, the same memory");
  return 0;
}
