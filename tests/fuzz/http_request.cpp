#include "http/request_parser.hpp"

#include "input.hpp"

#include <string>

namespace memprof::fuzz {
namespace {

using http::RequestParser;

/// All that is read of a client's bytes, in words.
std::string read(std::string_view text, Cut cut) {
  RequestParser parser;
  std::string out;
  in_pieces(text, cut, [&](std::string_view piece) {
    parser.append(piece);
    while (parser.parse() == RequestParser::State::complete) {
      const auto request = parser.take();
      require(!request.method.empty() && !request.target.empty(), "a request has a first line");
      out += request.method + ' ' + request.target + '\n';
      for (const auto& [name, value] : request.headers) out.append(name + ':' + value + '\n');
      out += request.body + (parser.keep_alive() ? "\nkept\n" : "\nclose\n");
      (void)request.query_values("name[]");
    }
    return parser.parse() == RequestParser::State::reading;
  });
  if (parser.parse() == RequestParser::State::reading) return out + "cut";
  return out + std::to_string(parser.failed_status());
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof::fuzz;
  const auto text = text_of(data, size);
  const auto whole = read(text, Cut::whole);
  for (const auto cut : kSplits) {
    const auto split = read(text, cut);
    if (split != whole) {
      std::fprintf(stderr, "whole: %s\nsplit: %s\n", whole.c_str(), split.c_str());
    }
    require(split == whole, "any split, the same requests");
  }
  return 0;
}
