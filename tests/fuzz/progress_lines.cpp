#include "cli/progress.hpp"
#include "formats/json.hpp"
#include "input.hpp"
#include "process/line_reader.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <unistd.h>

/// What a child writes into the progress pipe.
namespace memprof::fuzz {
namespace {

void take(std::vector<std::string>& lines, process::LineReader& reader) {
  for (auto& line : reader.read()) {
    require(line.size() <= process::LineReader::kMostLineBytes, "a line has an end");
    require(line.find('\n') == std::string::npos, "a line is one line");
    lines.push_back(std::move(line));
  }
}

std::vector<std::string> read(std::string_view text, Cut cut) {
  std::vector<std::string> lines;
  auto pipe = process::make_pipe();
  process::LineReader reader(std::move(pipe.read_end));
  in_pieces(text, cut, [&](std::string_view piece) {
    while (!piece.empty()) {  // a pipe holds 64 KiB
      const auto part = piece.substr(0, 4096);
      require(::write(pipe.write_end.get(), part.data(), part.size()) ==
                  static_cast<ssize_t>(part.size()),
              "the pipe takes it");
      take(lines, reader);
      piece.remove_prefix(part.size());
    }
    return true;
  });
  pipe.write_end.reset();
  while (reader.is_open()) take(lines, reader);
  return lines;
}

void check(const std::string& line) {
  boost::system::error_code error;
  const auto json = boost::json::parse(line, error);
  if (error) return;
  const auto progress = formats::from_json<cli::ReplayProgress>(json);
  if (progress.has_error()) return;
  const auto words = cli::describe_progress(*progress, 1.5);
  require(!words.empty() && std::all_of(words.begin(), words.end(),
                                        [](unsigned char c) { return c >= 0x20 && c < 0x7F; }),
          "progress is one line of plain words");
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof::fuzz;
  const auto text = text_of(data, size);
  const auto whole = read(text, Cut::whole);
  if (size <= 512) require(read(text, Cut::bytes) == whole, "any split, the same lines");
  require(read(text, Cut::pieces) == whole, "any split, the same lines");
  for (const auto& line : whole) check(line);
  return 0;
}
