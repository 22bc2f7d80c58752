#include "workload/workload_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace memprof::workload {
namespace {

const std::string kText =
    R"({"req_id": "a", "prompt": "be h\u00e9re", "input_len": 3, "output_len": 4,)"
    R"( "concurrency_group": 8, "extra": {"prefix_mode": "high", "rep": 2}})";
const std::string kIds =
    R"({"req_id": "b", "input_len": 3, "output_len": 4, "concurrency_group": 1,)"
    R"( "prompt_token_ids": [0, 7, 9]})";

struct Outcome {
  std::vector<WorkloadRequest> requests;
  std::string error;
};

Outcome read(std::string_view text, std::size_t piece = 1 << 20) {
  Outcome outcome;
  WorkloadReader reader("w.jsonl", [&](WorkloadRequest&& request) {
    outcome.requests.push_back(std::move(request));
  });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    const auto fed = reader.feed(text.substr(0, piece));
    if (fed.has_error()) {
      EXPECT_EQ(fed.error().code, ExitCode::usage);
      outcome.error = fed.error().message;
      return outcome;
    }
  }
  const auto finished = reader.finish();
  if (finished.has_error()) {
    outcome.error = finished.error().message;
  } else {
    EXPECT_EQ(*finished, static_cast<std::int64_t>(outcome.requests.size()));
  }
  return outcome;
}

/// A good line with one part of it replaced.
std::string line_with(std::string_view part, std::string_view replacement) {
  std::string line = kText;
  const auto at = line.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return line.replace(at, part.size(), replacement);
}

TEST(WorkloadReader, ReadsBothKindsOfPrompt) {
  const auto [requests, error] = read(kText + "\n" + kIds + "\n");
  EXPECT_EQ(error, "");
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].req_id, "a");
  EXPECT_EQ(requests[0].prompt, "be h\xC3\xA9re");
  EXPECT_EQ(requests[0].input_len, 3);
  EXPECT_EQ(requests[0].output_len, 4);
  EXPECT_EQ(requests[0].concurrency_group, 8);
  EXPECT_EQ(requests[0].extra.prefix_mode, PrefixMode::high);
  EXPECT_EQ(requests[0].extra.rep, 2);
  EXPECT_FALSE(requests[0].prompt_token_ids);
  EXPECT_FALSE(requests[1].prompt);
  EXPECT_EQ(requests[1].prompt_token_ids, (std::vector<std::int64_t>{0, 7, 9}));
  EXPECT_FALSE(requests[1].extra.prefix_mode);
  EXPECT_FALSE(requests[1].extra.rep);
}

TEST(WorkloadReader, SplitAtEveryByteReadsTheSame) {
  const std::string text = "\r\n" + kText + "\r\n\n" + kIds;
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto [requests, error] = read(text, piece);
    ASSERT_EQ(error, "") << piece;
    ASSERT_EQ(requests.size(), 2u) << piece;
    ASSERT_EQ(requests[0].prompt, "be h\xC3\xA9re") << piece;
    ASSERT_EQ(requests[1].req_id, "b") << piece;
  }
}

TEST(WorkloadReader, IsLiberal) {
  EXPECT_TRUE(read("").requests.empty());
  EXPECT_TRUE(read("\n \r\n\t\n").requests.empty());
  EXPECT_EQ(read("\xEF\xBB\xBF" + kText).requests.size(), 1u);
  EXPECT_EQ(read("  " + kText + "  \r\n").requests.size(), 1u);
  for (const auto& line : {line_with("{\"req", R"({"note": {"x": [1, null]}, "req)"),
                           line_with("\"output_len\": 4", "\"output_len\": 4.0"),
                           line_with("{\"prefix_mode\": \"high\", \"rep\": 2}", "null"),
                           line_with("{\"prefix_mode\": \"high\", \"rep\": 2}", "{\"k\": 1}"),
                           line_with("\"rep\": 2", "\"rep\": null"),
                           line_with("{\"req", "{\"prompt_token_ids\": null, \"req")}) {
    EXPECT_EQ(read(line).error, "") << line;
  }
}

TEST(WorkloadReader, NamesFileLineAndKeyOfWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"nonsense", "line: not JSON"},
      {"[1]", "line: must be a JSON object"},
      {kText + " {}", "line: not JSON"},
      {kText.substr(0, 40), "line: not JSON"},
      {line_with("h\\u00e9re", "h\xE9re"), "line: not JSON in UTF-8"},
      {line_with("\"a\"", "17"), "req_id: must be a string"},
      {line_with("\"a\"", "\"\""), "req_id: must not be empty"},
      {line_with("\"req_id\"", "\"id\""), "req_id: is missing"},
      {line_with("\"prompt\"", "\"promt\""), "prompt: is missing"},
      {line_with("\"be h\\u00e9re\"", "\"\""), "prompt: must not be empty"},
      {line_with("\"be h\\u00e9re\"", "[1, 2]"), "prompt: must be a string"},
      {line_with("{\"req", "{\"prompt_token_ids\": [1], \"req"), "prompt: give either"},
      {line_with("\"input_len\": 3", "\"input_len\": \"3\""), "input_len: must be a whole"},
      {line_with("\"input_len\": 3", "\"input_len\": 3.5"), "input_len: must be a whole"},
      {line_with("\"input_len\": 3", "\"input_len\": true"), "input_len: must be a whole"},
      {line_with("\"input_len\": 3", "\"input_len\": 0"), "input_len: must be a whole"},
      {line_with("\"input_len\": 3", "\"input_len\": 1e30"), "input_len: must be a whole"},
      {line_with("\"output_len\": 4", "\"output_len\": -4"), "output_len: must be a whole"},
      {line_with("\"output_len\": 4", "\"output_len\": null"), "output_len: is missing"},
      {line_with("\"concurrency_group\": 8", "\"concurrency_group\": 0"),
       "concurrency_group: must be a whole"},
      {line_with("{\"prefix_mode\": \"high\", \"rep\": 2}", "[]"), "extra: must be an object"},
      {line_with("\"high\"", "\"medium\""), "extra.prefix_mode: must be"},
      {line_with("\"high\"", "1"), "extra.prefix_mode: must be"},
      {line_with("\"rep\": 2", "\"rep\": -1"), "extra.rep: must be"},
      {"{\"prompt_token_ids\": [], \"req_id\": \"x\"}", "prompt_token_ids: must not be empty"},
      {"{\"prompt_token_ids\": \"1\", \"req_id\": \"x\"}", "prompt_token_ids: must be an array"},
      {"{\"prompt_token_ids\": [1, -1], \"req_id\": \"x\"}", "prompt_token_ids[1]: must be"},
      {"{\"prompt_token_ids\": [1.5], \"req_id\": \"x\"}", "prompt_token_ids[0]: must be"},
  };
  for (const auto& [line, problem] : cases) {
    const auto [requests, error] = read("\n" + kIds + "\n" + line + "\n" + kText);
    EXPECT_EQ(error.substr(0, 11 + problem.size()), "w.jsonl:3: " + problem) << line;
    EXPECT_EQ(error.find('\n'), std::string::npos);
    EXPECT_EQ(requests.size(), 1u);
  }
}

TEST(WorkloadReader, RefusesARepeatedId) {
  EXPECT_EQ(read(kText + "\n" + kIds + "\n\n" + kText).error,
            "w.jsonl:4: req_id: 'a' is repeated; each must be unique");
}

TEST(WorkloadReader, RefusesALineThatIsTooLong) {
  WorkloadReader reader("-", [](WorkloadRequest&&) {});
  const std::string piece(1 << 20, 'x');
  Result<void> fed{};
  std::size_t pieces = 0;
  for (; !fed.has_error() && pieces < 100; ++pieces) fed = reader.feed(piece);
  ASSERT_TRUE(fed.has_error());
  EXPECT_EQ(fed.error().message, "-:1: line: longer than 64 MiB");
  EXPECT_EQ(pieces, 65u);
}

TEST(ReadWorkload, NamesAFileThatCannotBeRead) {
  const auto read = read_workload("/nonexistent/w.jsonl", [](WorkloadRequest&&) {});
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().code, ExitCode::environment);
  EXPECT_NE(read.error().message.find("/nonexistent/w.jsonl"), std::string::npos);
}

}  // namespace
}  // namespace memprof::workload
