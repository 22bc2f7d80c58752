#include "gpu/simulated_gpus.hpp"

#include <gtest/gtest.h>

#include <string>

namespace memprof::gpu {
namespace {

std::string page(const std::string& gpus) {
  return R"({"speed":10,"kv_bytes_per_token":131072,"gpus":[)" + gpus + "]}";
}

const std::string kGpu =
    R"({"gpu_idx":1,"name":"Simulated H100","uuid":"SIM-1","total_bytes":85899345920,)"
    R"("reserved_bytes":1048576,"weights_bytes":16,"used_bytes":2097153,"busy_s":12.5,"pid":77})";

TEST(SimulatedGpus, AllThatIsNeededIsRead) {
  const auto read = parse_simulated_gpus(page(kGpu));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->speed, 10);
  EXPECT_EQ(read->kv_bytes_per_token, 131'072);
  ASSERT_EQ(read->gpus.size(), 1u);
  const auto& gpu = read->gpus.front();
  EXPECT_EQ(gpu.gpu_idx, 1);
  EXPECT_EQ(gpu.name, "Simulated H100");
  EXPECT_EQ(gpu.uuid, "SIM-1");
  EXPECT_EQ(gpu.total_bytes, 85'899'345'920);
  EXPECT_EQ(gpu.reserved_bytes, 1'048'576);
  EXPECT_EQ(gpu.used_bytes, 2'097'153);
  EXPECT_EQ(gpu.busy_s, 12.5);
  EXPECT_EQ(gpu.pid, 77);
}

TEST(SimulatedGpus, AWholeNumberOfSecondsIsANumberToo) {
  EXPECT_TRUE(parse_simulated_gpus(
      page(R"({"gpu_idx":0,"total_bytes":2,"used_bytes":1,"busy_s":3})")).has_value());
}

class NoPage : public testing::TestWithParam<const char*> {};

TEST_P(NoPage, IsAnErrorOfTheEnvironment) {
  const auto read = parse_simulated_gpus(GetParam());
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().code, ExitCode::environment);
  EXPECT_TRUE(read.error().message.starts_with("not a simulator's page of GPUs: "));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, NoPage,
    testing::Values("", "<html>", "[]", "{}", R"({"gpus":[]})", R"({"gpus":{}})",
                    R"({"gpus":[{"gpu_idx":0}]})",
                    R"({"gpus":[{"gpu_idx":"0","total_bytes":2}]})",
                    R"({"gpus":[{"gpu_idx":-1,"total_bytes":2}]})",
                    R"({"gpus":[{"gpu_idx":0,"total_bytes":2,"used_bytes":-1}]})",
                    R"({"gpus":[{"gpu_idx":0,"total_bytes":2,"used_bytes":3}]})",
                    R"({"gpus":[{"gpu_idx":0,"total_bytes":2,"reserved_bytes":-1}]})"));

}  // namespace
}  // namespace memprof::gpu
