#include "workload/grid.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace memprof::workload {
namespace {

std::vector<GridRequest> all_requests(const WorkloadSpec& spec) {
  std::vector<GridRequest> requests;
  for_each_request(spec, [&](const GridRequest& request) {
    requests.push_back(request);
    return true;
  });
  return requests;
}

TEST(Grid, DefaultIsTheOriginalFortyEightInTheirOrder) {
  const WorkloadSpec spec;
  EXPECT_EQ(count_requests(spec).value(), 48);
  const auto requests = all_requests(spec);
  ASSERT_EQ(requests.size(), 48u);
  std::size_t i = 0;
  for (const std::int64_t concurrency : {8, 16, 32, 64}) {
    for (const std::int64_t input_len : {8192, 16384, 32768}) {
      for (const std::int64_t output_len : {64, 128}) {
        for (const auto mode : {PrefixMode::low, PrefixMode::high}) {
          const auto& request = requests[i];
          EXPECT_EQ(request.index, static_cast<std::int64_t>(i));
          EXPECT_EQ(request.concurrency, concurrency);
          EXPECT_EQ(request.input_len, input_len);
          EXPECT_EQ(spec.input_lens[request.input_index], input_len);
          EXPECT_EQ(request.output_len, output_len);
          EXPECT_EQ(request.prefix_mode, mode);
          EXPECT_EQ(request.rep, 0);
          ++i;
        }
      }
    }
  }
}

TEST(Grid, AutoReachesEveryLevel) {
  WorkloadSpec spec;  // 12 conditions a level
  spec.n_per_condition.reset();
  EXPECT_EQ(requests_per_condition(spec, 8), 1);
  EXPECT_EQ(requests_per_condition(spec, 12), 1);
  EXPECT_EQ(requests_per_condition(spec, 13), 2);
  EXPECT_EQ(requests_per_condition(spec, 64), 6);
  EXPECT_EQ(count_requests(spec).value(), 12 * (1 + 2 + 3 + 6));
  spec.schedule = Schedule::condition;
  EXPECT_EQ(requests_per_condition(spec, 64), 64);
  EXPECT_EQ(count_requests(spec).value(), 12 * (8 + 16 + 32 + 64));
  std::map<std::int64_t, int> of_level;
  for (const auto& request : all_requests(spec)) ++of_level[request.concurrency];
  EXPECT_EQ(of_level[64], 12 * 64);
}

TEST(Grid, SharersAreNumberedPerInputLengthAndMode) {
  WorkloadSpec spec;
  spec.n_per_condition = 3;
  std::map<std::pair<Tokens, PrefixMode>, std::int64_t> next;
  for (const auto& request : all_requests(spec)) {
    EXPECT_EQ(request.sharer, (next[{request.input_len, request.prefix_mode}]++));
  }
  EXPECT_EQ((next[{8192, PrefixMode::high}]), 24);
}

TEST(Grid, FirstRequestOfALength) {
  const WorkloadSpec spec;
  const auto first = first_request(spec, 1, PrefixMode::high);
  EXPECT_EQ(first.input_len, 16384);
  EXPECT_EQ(first.prefix_mode, PrefixMode::high);
  EXPECT_EQ(first.index, 5);
}

TEST(Grid, EndsWhenToldTo) {
  int taken = 0;
  for_each_request(WorkloadSpec{}, [&](const GridRequest&) { return ++taken < 7; });
  EXPECT_EQ(taken, 7);
}

TEST(Grid, RefusesTooManyRequestsWithTheirNumber) {
  WorkloadSpec spec;
  spec.n_per_condition = 1'000'000'000;
  const auto counted = count_requests(spec);
  ASSERT_TRUE(counted.has_error());
  EXPECT_EQ(counted.error().code, ExitCode::usage);
  EXPECT_NE(counted.error().message.find("48000000000 requests"), std::string::npos)
      << counted.error().message;
  spec.n_per_condition = kMaxRequests / 48;
  EXPECT_EQ(count_requests(spec).value(), kMaxRequests / 48 * 48);
  spec.n_per_condition = kMaxRequests / 48 + 1;
  EXPECT_TRUE(count_requests(spec).has_error());
}

TEST(Grid, RefusesLinesThatCouldNotBeReadBack) {
  WorkloadSpec spec;
  spec.input_lens = {1024, 7'000'000};
  const auto counted = count_requests(spec);
  ASSERT_TRUE(counted.has_error());
  EXPECT_NE(counted.error().message.find("7000000 tokens"), std::string::npos);
  spec.input_lens = {6'000'000};
  EXPECT_EQ(count_requests(spec).value(), 16);
  spec.chars_per_token = 16.4;
  EXPECT_TRUE(count_requests(spec).has_error());
}

}  // namespace
}  // namespace memprof::workload
