#include "load/schedule.hpp"

#include <gtest/gtest.h>

namespace memprof::load {
namespace {

WorkloadRequest request(const std::string& id, std::int64_t group, Tokens input = 10,
                        Tokens output = 1, std::optional<PrefixMode> mode = {}) {
  WorkloadRequest made;
  made.req_id = id;
  made.prompt = "p";
  made.input_len = input;
  made.output_len = output;
  made.concurrency_group = group;
  made.extra.prefix_mode = mode;
  return made;
}

std::string batches(std::vector<WorkloadRequest> requests, Schedule schedule) {
  std::vector<PreparedRequest> prepared;
  for (auto& each : requests) prepared.push_back(prepare(std::move(each)));
  std::string out;
  for (const auto& batch : make_batches(prepared, schedule)) {
    out += std::to_string(batch.concurrency) + ":";
    for (const auto index : batch.requests) out += prepared[index].row.req_id;
    out += " ";
  }
  return out;
}

TEST(Schedule, GroupsAscendAndKeepTheirOrder) {
  EXPECT_EQ(batches({request("a", 8), request("b", 2), request("c", 8), request("d", 2),
                     request("e", 100), request("f", 9)},
                    Schedule::group),
            "2:bd 8:ac 9:f 100:e ");
  EXPECT_EQ(batches({}, Schedule::group), "");
}

TEST(Schedule, ConditionsAreCellsInTheWorkloadsOrder) {
  EXPECT_EQ(batches({request("a", 8, 20), request("b", 8, 10), request("c", 2, 20),
                     request("d", 8, 20), request("e", 8, 20, 2),
                     request("f", 8, 20, 1, PrefixMode::low),
                     request("g", 8, 20, 1, PrefixMode::high), request("h", 2, 20)},
                    Schedule::condition),
            "2:ch 8:ad 8:b 8:e 8:f 8:g ");
}

TEST(Prepare, PromptsStandAsJson) {
  auto text = request("a", 1);
  text.prompt = "say \"hi\"\n\x01 \xC3\xA9 \\";
  const auto prepared = prepare(std::move(text));
  EXPECT_EQ(prepared.prompt_json, "\"say \\\"hi\\\"\\n\\u0001 \xC3\xA9 \\\\\"");
  EXPECT_FALSE(prepared.token_ids);
}

TEST(Prepare, TokenIdsStandAsAnArray) {
  for (const auto& [ids, json] : std::vector<std::pair<std::vector<std::int64_t>, std::string>>{
           {{}, "[]"}, {{7}, "[7]"}, {{0, 12, 9007199254740993}, "[0,12,9007199254740993]"}}) {
    auto asked = request("a", 3, 10, 4, PrefixMode::high);
    asked.prompt.reset();
    asked.prompt_token_ids = ids;
    asked.extra.rep = 2;
    const auto prepared = prepare(std::move(asked));
    EXPECT_EQ(prepared.prompt_json, json);
    EXPECT_TRUE(prepared.token_ids);
    EXPECT_EQ(prepared.row.rep, 2);
    EXPECT_EQ(prepared.row.prefix_mode, PrefixMode::high);
    EXPECT_EQ(prepared.row.output_len, 4);
  }
}

}  // namespace
}  // namespace memprof::load
