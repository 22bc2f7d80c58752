#include "gpu/source.hpp"

#include <gtest/gtest.h>

namespace memprof::gpu {
namespace {

using namespace std::chrono_literals;

TEST(ToMib, RoundsUpAsNvidiaSmiDoes) {
  EXPECT_EQ(to_mib(0), 0);
  EXPECT_EQ(to_mib(1), 1);
  EXPECT_EQ(to_mib((1u << 20) - 1), 1);
  EXPECT_EQ(to_mib(1u << 20), 1);
  EXPECT_EQ(to_mib((1u << 20) + 1), 2);
  EXPECT_EQ(to_mib(std::uint64_t{85520809984}), 81559);
  EXPECT_EQ(to_mib(~std::uint64_t{0}), std::int64_t{1} << 44);
}

TEST(BackOff, DoublesUpToHalfAMinute) {
  BackOff back_off;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) EXPECT_EQ(back_off.next(), wait);
  back_off.reset();
  EXPECT_EQ(back_off.next(), 1s);
}

class Complainer final : public GpuSource {
 public:
  Result<std::vector<GpuInfo>> probe() override { return std::vector<GpuInfo>{}; }
  bool read(std::vector<GpuMemRow>&) override {
    warn_once("kind", "first text");
    warn_once("kind", "second text");
    warn_once("other", "third text");
    return true;
  }
};

TEST(Warnings, OneForEachKindEver) {
  Complainer source;
  std::vector<GpuMemRow> rows;
  source.read(rows);
  EXPECT_EQ(source.take_warnings(), (std::vector<std::string>{"first text", "third text"}));
  source.read(rows);
  EXPECT_TRUE(source.take_warnings().empty());
}

}  // namespace
}  // namespace memprof::gpu
