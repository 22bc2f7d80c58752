#include "gpu/smi_csv.hpp"

#include <gtest/gtest.h>

namespace memprof::gpu {
namespace {

TEST(Reading, ARowOfNumbers) {
  const auto reading = parse_reading("3, 71234, 81559, 100");
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->row.gpu_idx, 3);
  EXPECT_EQ(reading->row.used_mib, 71234);
  EXPECT_EQ(reading->row.total_mib, 81559);
  EXPECT_EQ(reading->row.util_pct, 100);
  EXPECT_FALSE(reading->lost);
  EXPECT_EQ(reading->unknown_cell, "");
}

TEST(Reading, UnitsThatAreThereInSpiteOfNounits) {
  const auto reading = parse_reading("0, 0 MiB, 81559 MiB, 7 %");
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->row.used_mib, 0);
  EXPECT_EQ(reading->row.total_mib, 81559);
  EXPECT_EQ(reading->row.util_pct, 7);
}

class UnknownCell : public testing::TestWithParam<const char*> {};

TEST_P(UnknownCell, IsBlankAndNeverZero) {
  const auto reading = parse_reading(std::string("0, 5, 10, ") + GetParam());
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->row.used_mib, 5);
  EXPECT_EQ(reading->row.util_pct, std::nullopt);
  EXPECT_FALSE(reading->lost);
  EXPECT_NE(reading->unknown_cell, "");
}

INSTANTIATE_TEST_SUITE_P(Tokens, UnknownCell,
                         testing::Values("[N/A]", "N/A", "[Not Supported]",
                                         "[Insufficient Permissions]", "[Unknown Error]",
                                         "[Function Not Found]",
                                         "[Requested functionality has been deprecated]", "ERR!",
                                         "", "-1", "1.5", "0x10", "99999999999999999999"));

TEST(Reading, ALostGpuIsBlankThroughout) {
  for (const char* line : {"0, [GPU requires reset], [GPU requires reset], 0 MiB",
                           "0, 0 MiB, 81559, [GPU is lost]"}) {
    const auto reading = parse_reading(line);
    ASSERT_TRUE(reading) << line;
    EXPECT_TRUE(reading->lost);
    EXPECT_FALSE(reading->row.used_mib || reading->row.total_mib || reading->row.util_pct);
    EXPECT_NE(reading->unknown_cell, "");
  }
}

TEST(Reading, OtherLinesAreNone) {
  for (const char* line :
       {"", "No devices were found", "Failed to initialize NVML: Driver/library version mismatch",
        "NVML library version: 535.261", "0, 1, 2", "0, 1, 2, 3, 4", "[N/A], 1, 2, 3", "x, 1, 2, 3",
        "-1, 1, 2, 3",
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure "
        "that the latest NVIDIA driver is installed and running."}) {
    EXPECT_FALSE(parse_reading(line)) << line;
  }
}

TEST(Info, WithAndWithoutTheReserve) {
  const auto info = parse_info(
      "1, 5, 81559, GPU-3f7e, 00000000:4E:00.0, 535.261.03, NVIDIA H100 80GB HBM3, 531");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->gpu_idx, 1);
  EXPECT_EQ(info->total_mib, 81559);
  EXPECT_EQ(info->uuid, "GPU-3f7e");
  EXPECT_EQ(info->pci_bus_id, "00000000:4E:00.0");
  EXPECT_EQ(info->driver_version, "535.261.03");
  EXPECT_EQ(info->name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(info->reserved_mib, 531);
  const auto older = parse_info("0, 5, 100, GPU-1, 00000000:01:00.0, 440.33.01, Tesla V100");
  ASSERT_TRUE(older);
  EXPECT_EQ(older->reserved_mib, std::nullopt);
}

TEST(Info, ATotalCountsOnlyWithAFigureOfWhatIsUsed) {
  EXPECT_EQ(parse_info("0, [N/A], 100, u, b, d, n")->total_mib, std::nullopt);
  EXPECT_EQ(parse_info("0, 0, [GPU is lost], u, b, d, n")->total_mib, std::nullopt);
  EXPECT_EQ(parse_info("0, 1, 100, [N/A], b, d, [Unknown Error]")->name, std::nullopt);
  EXPECT_EQ(parse_info("0, 1, 100, [N/A], b, d, n")->uuid, std::nullopt);
  EXPECT_FALSE(parse_info("No devices were found"));
}

TEST(ExitMeaning, FromTheManual) {
  EXPECT_EQ(exit_meaning(9), "driver not loaded");
  EXPECT_EQ(exit_meaning(15), "a GPU has fallen off the bus");
  EXPECT_EQ(exit_meaning(255), "");
}

}  // namespace
}  // namespace memprof::gpu
