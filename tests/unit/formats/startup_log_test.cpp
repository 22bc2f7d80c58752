#include "formats/startup_log.hpp"

#include "formats/json.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace memprof::formats {
namespace {

StartupMemory parse(std::string_view log) {
  StartupLogReader reader;
  reader.feed(log);
  return reader.finish();
}

std::string recorded(const char* name) {
  std::ifstream file(std::string(MEMPROF_TEST_DATA "/startup_logs/") + name);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

using Numbers = std::vector<double>;

TEST(StartupLog, RecordedCpuServer) {
  const auto found = parse(recorded("v0_32_cpu.log"));
  EXPECT_EQ(found.kv_cache_tokens, std::vector<Tokens>{6144});
  EXPECT_EQ(found.max_concurrency, 1.5);
  EXPECT_EQ(found.num_gpu_blocks_override, 192);
  EXPECT_TRUE(found.available_kv_gib.empty());
  EXPECT_TRUE(found.weights_gib.empty());
}

TEST(StartupLog, RecordedTwoEngines) {
  EXPECT_EQ(parse(recorded("v0_32_cpu_two_engines.log")).kv_cache_tokens,
            (std::vector<Tokens>{6144, 6144}));
}

TEST(StartupLog, AServerThatDidNotStartHasNoCache) {
  const auto found = parse(recorded("v0_32_kv_too_small.log"));
  EXPECT_TRUE(found.kv_cache_tokens.empty());
  EXPECT_TRUE(found.available_kv_gib.empty());  // "(0.0 GiB)" in the error's words is no figure
  EXPECT_EQ(found.num_gpu_blocks_override, 96);
}

TEST(StartupLog, GpuServerOfToday) {
  const auto found = parse(
      "(Worker_TP0 pid=510) INFO [model_runner.py:415] Model loading took 19.07 GiB memory and "
      "58.214395 seconds\n"
      "(Worker_TP0 pid=510) INFO [gpu_worker.py:701] Available KV cache memory: 4.87 GiB\n"
      "(Worker_TP1 pid=511) INFO [gpu_worker.py:701] Available KV cache memory: 4.85 GiB\n"
      "(EngineCore pid=384) INFO [kv_cache_utils.py:2393] GPU KV cache size: 651,081 tokens, "
      "Maximum concurrency for 262,144 tokens per request: 2.48x\n"
      "INFO [gpu_model_runner.py:4000] Graph capturing finished in 5 secs, took -0.42 GiB\n"
      "INFO [gpu_worker.py:935] Free memory on device (31.23/31.86 GiB) on startup. Desired GPU "
      "memory utilization is (0.97, 30.9 GiB). Actual usage is 24.58 GiB for consumed memory.\n"
      "Engine 000: Avg prompt throughput: 308.2 tokens/s, GPU KV cache usage: 95.3%\n");
  EXPECT_EQ(found.weights_gib, Numbers{19.07});
  EXPECT_EQ(found.available_kv_gib, (Numbers{4.87, 4.85}));
  EXPECT_EQ(found.kv_cache_tokens, std::vector<Tokens>{651'081});
  EXPECT_EQ(found.max_concurrency, 2.48);
  EXPECT_EQ(found.graph_capture_gib, Numbers{-0.42});
  EXPECT_EQ(found.gpu_memory_utilization, 0.97);
  EXPECT_EQ(found.requested_gib, 30.9);
}

TEST(StartupLog, OlderWordings) {
  const auto found = parse(
      "INFO 07-02 17:08:01 [model_runner.py:1110] Loading model weights took 14.9888 GB\n"
      "the current vLLM instance can use total_gpu_memory (79.11GiB) x gpu_memory_utilization (0.90)"
      " = 71.20GiB\n"
      "model weights take 14.99GiB; non_torch_memory takes 0.35GiB; PyTorch activation peak memory "
      "takes 1.24GiB; the rest of the memory reserved for KV Cache is 54.62GiB.\n"
      "INFO 03-14 09:13:08 [kv_cache_utils.py:566] GPU KV cache size: 447,088 tokens\n"
      "INFO 03-14 09:13:08 [kv_cache_utils.py:570] Maximum concurrency for 32,768 tokens per "
      "request: 13.64x\n"
      "INFO Graph capturing finished in 20 secs, took 0.24 GiB\n");
  EXPECT_EQ(found.weights_gib, Numbers{14.9888});
  EXPECT_EQ(found.gpu_memory_utilization, 0.9);
  EXPECT_EQ(found.requested_gib, 71.2);
  EXPECT_EQ(found.available_kv_gib, Numbers{54.62});
  EXPECT_EQ(found.kv_cache_tokens, std::vector<Tokens>{447'088});
  EXPECT_EQ(found.max_concurrency, 13.64);
  EXPECT_EQ(found.graph_capture_gib, Numbers{0.24});
}

TEST(StartupLog, APoolThatWasAskedFor) {
  const auto found = parse("Initial free memory 78.4 GiB, reserved 4.0 GiB memory for KV Cache as "
                           "specified by kv_cache_memory_bytes config\n");
  EXPECT_EQ(found.available_kv_gib, Numbers{4.0});
}

TEST(StartupLog, OfSeveralStartsTheLastCounts) {
  const auto log = recorded("v0_32_cpu.log");
  const auto found = parse(log + log);
  EXPECT_EQ(found.kv_cache_tokens, std::vector<Tokens>{6144});
}

TEST(StartupLog, SplitAnywhereItReadsTheSame) {
  const auto log = recorded("v0_32_cpu.log");
  const auto begin = log.find("Explicitly set");
  const auto part = log.substr(begin, log.find("init engine") - begin);
  const auto whole = to_json(parse(part));
  EXPECT_FALSE(is_empty(parse(part)));
  for (std::size_t cut = 0; cut <= part.size(); ++cut) {
    StartupLogReader reader;
    reader.feed(std::string_view(part).substr(0, cut));
    reader.feed(std::string_view(part).substr(cut));
    EXPECT_EQ(to_json(reader.finish()), whole) << cut;
  }
}

TEST(StartupLog, OtherFilesHaveNothing) {
  EXPECT_TRUE(is_empty(parse("")));
  EXPECT_TRUE(is_empty(parse(std::string(1 << 20, 'x'))));
  EXPECT_TRUE(is_empty(parse("GPU KV cache size: unknown\nAvailable KV cache memory:\n"
                             "Model loading took a while\n")));
}

}  // namespace
}  // namespace memprof::formats
