#include "gpu/system_memory.hpp"

#include <gtest/gtest.h>

namespace memprof::gpu {
namespace {

TEST(Meminfo, UsedIsTotalLessAvailable) {
  const auto memory = parse_meminfo(
      "MemTotal:       125509632 kB\nMemFree:         1203456 kB\nMemAvailable:   98304000 kB\n"
      "HugePages_Total:       0\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, std::uint64_t{125509632} * 1024);
  EXPECT_EQ(memory->used_bytes, std::uint64_t{125509632 - 98304000} * 1024);
}

TEST(Meminfo, WithoutBothFiguresThereIsNone) {
  EXPECT_FALSE(parse_meminfo(""));
  EXPECT_FALSE(parse_meminfo("MemTotal: 100 kB\nMemFree: 5 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemAvailable: 5 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: x kB\nMemAvailable: 5 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 4 kB\nMemAvailable: 5 kB\n"));
}

TEST(Meminfo, ThisMachineHasSome) {
  const auto memory = read_system_memory();
  ASSERT_TRUE(memory);
  EXPECT_GT(memory->used_bytes, 0u);
  EXPECT_GT(memory->total_bytes, memory->used_bytes);
}

}  // namespace
}  // namespace memprof::gpu
