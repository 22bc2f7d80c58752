#include "cli/option_groups.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memprof::cli {
namespace {

struct Options : CommonOptions {
  WorkloadSpec spec;
  TargetSpec target;
  ReplaySpec replay;
};

OptionTable table_of(Options& options) {
  OptionTable table("tool", "does things.", options);
  add_grid_options(table, options.spec);
  add_schedule_option(table, options.replay.schedule);
  add_target_options(table, options.target);
  add_replay_options(table, options.replay);
  return table;
}

TEST(OptionGroups, DefaultsAreTheOriginals) {
  Options options;
  const auto config = table_of(options).config();
  EXPECT_EQ(boost::json::serialize(config.at("input_lens")), "[8192,16384,32768]");
  EXPECT_EQ(boost::json::serialize(config.at("output_lens")), "[64,128]");
  EXPECT_EQ(boost::json::serialize(config.at("concurrencies")), "[8,16,32,64]");
  EXPECT_EQ(boost::json::serialize(config.at("prefix_modes")), R"(["low","high"])");
  EXPECT_EQ(config.at("n_per_condition"), 1);
  EXPECT_EQ(config.at("base_url"), "http://127.0.0.1:8000/v1");
  EXPECT_EQ(config.at("model"), "default");
  EXPECT_EQ(config.at("timeout"), 600.0);
}

TEST(OptionGroups, PassWholeToAnotherProcess) {
  Options options;
  auto table = table_of(options);
  const std::vector<std::string> arguments{
      "--input-lens=7,5", "--n-per-condition=auto", "--seed=9000000000000000",
      "--prompt-format=token-ids", "--schedule=condition", "--base-url=https://h/v1",
      "--api-key-file=k", "--insecure", "--stream", "--cache-salt=a b", "--extra-body={\"x\": 1}",
      "--timeout=0.25"};
  ASSERT_FALSE(table.parse(arguments));
  Options copies;
  auto copy = table_of(copies);
  ASSERT_FALSE(copy.parse(table.arguments()));
  EXPECT_EQ(copy.config(), table.config());
  EXPECT_EQ(copies.spec.seed, 9'000'000'000'000'000u);
  EXPECT_FALSE(copies.spec.n_per_condition);
  EXPECT_EQ(copies.replay.extra_body, "{\"x\": 1}");
}

}  // namespace
}  // namespace memprof::cli
