#include "process/line_reader.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include <unistd.h>

namespace memprof::process {
namespace {

using Lines = std::vector<std::string>;

void write_to(const Pipe& pipe, std::string_view text) {
  ASSERT_EQ(::write(pipe.write_end.get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
}

TEST(LineReader, GivesWholeLinesHoweverTheyCome) {
  const std::string_view text = "one\n\ntwo words\nrest";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Pipe pipe = make_pipe();
    LineReader reader(std::move(pipe.read_end));
    Lines lines;
    for (const auto part : {text.substr(0, cut), text.substr(cut)}) {
      write_to(pipe, part);
      for (auto& line : reader.read()) lines.push_back(std::move(line));
    }
    EXPECT_EQ(lines, (Lines{"one", "", "two words"})) << "cut at " << cut;
    EXPECT_TRUE(reader.is_open());
    pipe.write_end.reset();
    EXPECT_EQ(reader.read(), (Lines{"rest"}));
    EXPECT_FALSE(reader.is_open());
    EXPECT_EQ(reader.read(), Lines{});
  }
}

TEST(LineReader, DoesNotBlockOnAnEmptyPipe) {
  Pipe pipe = make_pipe();
  LineReader reader(std::move(pipe.read_end));
  EXPECT_EQ(reader.read(), Lines{});
  EXPECT_TRUE(reader.is_open());
}

TEST(LineReader, CutsAnEndlessLine) {
  Pipe pipe = make_pipe();
  LineReader reader(std::move(pipe.read_end));
  const std::string piece(1u << 15, 'x');
  Lines lines;
  for (std::size_t sent = 0; sent < 2 * LineReader::kMostLineBytes; sent += piece.size()) {
    write_to(pipe, piece);
    lines = reader.read();
    ASSERT_TRUE(lines.empty());
  }
  write_to(pipe, "\nnext\n");
  lines = reader.read();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), LineReader::kMostLineBytes);
  EXPECT_EQ(lines[1], "next");
}

}  // namespace
}  // namespace memprof::process
