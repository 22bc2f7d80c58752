#include "gpu/process_tally.hpp"

#include <gtest/gtest.h>

namespace memprof::gpu {
namespace {

TEST(ProcessTally, KeepsFirstLastLeastAndMost) {
  ProcessTally tally;
  tally.add({{0, 7, 100}, {1, 7, 5}});
  tally.add({{0, 7, 300}});
  tally.add({{0, 7, 50}, {0, 6, {}}});
  tally.add({});
  tally.add({{0, 7, 200}, {0, 7, {}}});
  const auto processes = tally.account();
  ASSERT_EQ(processes.size(), 3u);
  EXPECT_EQ(processes[0].pid, 6);
  EXPECT_FALSE(processes[0].first_mib || processes[0].last_mib || processes[0].min_mib ||
               processes[0].max_mib);
  EXPECT_EQ(processes[1].gpu_idx, 0);
  EXPECT_EQ(processes[1].first_mib, 100);
  EXPECT_EQ(processes[1].last_mib, 200);
  EXPECT_EQ(processes[1].min_mib, 50);
  EXPECT_EQ(processes[1].max_mib, 300);
  EXPECT_EQ(processes[2].gpu_idx, 1);
  EXPECT_EQ(processes[2].last_mib, 5);
}

}  // namespace
}  // namespace memprof::gpu
