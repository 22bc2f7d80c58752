#include "read_answer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace memprof::load {
namespace {

const std::string kFolder = MEMPROF_TEST_DATA "/vllm_0_32/";

std::string read_file(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// expected.tsv: the file's name, and its row joined as show() does.
std::map<std::string, std::string> read_expected() {
  std::istringstream lines(read_file("expected.tsv"));
  std::map<std::string, std::string> expected;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const auto tab = line.find('\t');
    std::string row = line.substr(tab + 1);
    std::replace(row.begin(), row.end(), '\t', '|');
    expected[line.substr(0, tab)] = row;
  }
  return expected;
}

TEST(RecordedAnswers, EachGivesItsRow) {
  const auto expected = read_expected();
  ASSERT_EQ(expected.size(), 120u);
  CompletionReader reader;
  for (const auto& [name, row] : expected) {
    EXPECT_EQ(show(read_answer(reader, read_file(name + ".resp"))), row) << name;
  }
}

TEST(RecordedAnswers, EverySplitGivesTheSameRow) {
  CompletionReader reader;
  for (const auto& [name, row] : read_expected()) {
    const auto bytes = read_file(name + ".resp");
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      // The long ones are there for multi-byte text: their heads and ends are those of the others.
      if (bytes.size() > 10'000 && cut % 7 != 0) continue;
      ASSERT_EQ(show(read_answer(reader, bytes, {cut})), row) << name << " cut at " << cut;
    }
    for (const std::size_t step : {1u, 2u, 3u, 7u, 4096u}) {
      ASSERT_EQ(show(read_answer(reader, bytes, every(step, bytes.size()))), row)
          << name << " in pieces of " << step;
    }
  }
}

TEST(RecordedAnswers, EveryTruncationOfAStreamIsTold) {
  CompletionReader reader;
  const auto bytes = read_file("sse_chat_usage.resp");
  const auto head_end = bytes.find("\r\n\r\n") + 4;
  const auto done = bytes.find("data: [DONE]\n\n") + 14;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto answer = read_answer(reader, std::string_view(bytes).substr(0, length));
    // After [DONE] the answer is whole, whatever became of its framing.
    ASSERT_EQ(answer.status, length >= done ? "ok" : "error:disconnected") << length;
    if (length == 0) {
      EXPECT_EQ(answer.detail, "connection closed without an answer");
    } else if (length < head_end) {
      EXPECT_EQ(answer.detail, "connection closed in the middle of the response head");
      EXPECT_FALSE(answer.http_status);
    }
    if (length >= done) {
      EXPECT_EQ(show(answer.usage.completion_tokens), "8");
    }
  }
}

TEST(RecordedAnswers, EveryTruncationOfAPlainAnswerIsTold) {
  CompletionReader reader;
  for (const char* name : {"json_chat.resp", "err_overload_tokens.resp"}) {
    const auto bytes = read_file(name);
    const bool refused = bytes.starts_with("HTTP/1.1 503");
    const auto head_end = bytes.find("\r\n\r\n") + 4;
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto answer = read_answer(reader, std::string_view(bytes).substr(0, length));
      const bool told = refused && length >= head_end;
      ASSERT_EQ(answer.status, told ? "error:http_503" : "error:disconnected")
          << name << " " << length;
    }
  }
}

TEST(RecordedAnswers, TheFirstTokenIsTheFirstEventWithText) {
  const auto bytes = read_file("sse_chat_usage.resp");
  const auto role = bytes.find("\"role\"");
  const auto text = bytes.find("\n\n", bytes.find("\"content\":\"", role + 40));
  ASSERT_NE(role, std::string::npos);
  CompletionReader reader;
  // Cut after the role chunk, and one byte before the first text's event is whole.
  const auto answer = read_answer(reader, bytes, {role + 20, text + 1, text + 2});
  EXPECT_EQ(answer.first_token_ts, stamp(2));
}

TEST(RecordedAnswers, AStreamEndsAtDone) {
  const auto bytes = read_file("sse_chat_usage.resp");
  const auto done = bytes.find("data: [DONE]\n\n") + 14;
  CompletionReader reader;
  EXPECT_EQ(read_answer(reader, bytes, {done - 1, done, done + 3}).end_ts, stamp(1));
}

TEST(RecordedAnswers, KeptConnectionsAreReusedAfterEachWholeAnswer) {
  CompletionReader reader;
  for (const char* name : {"sse_chat_usage", "json_chat", "err_unknown_model", "err_path"}) {
    EXPECT_TRUE(read_answer(reader, read_file(name + std::string(".resp"))).http_status) << name;
    EXPECT_TRUE(reader.can_reuse()) << name;
  }
  read_answer(reader, read_file("sse_connection_close.resp"));
  EXPECT_FALSE(reader.can_reuse());
  read_answer(reader, read_file("json_chat.resp") + "x");
  EXPECT_FALSE(reader.can_reuse()) << "a byte after the end";
}

}  // namespace
}  // namespace memprof::load
