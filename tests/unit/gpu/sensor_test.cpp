#include "gpu/sensor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <poll.h>

namespace memprof::gpu {
namespace {

using namespace std::chrono_literals;

/// A source that does what the test says.
class Scripted final : public GpuSource {
 public:
  struct Script {
    std::optional<Error> probe_error;
    std::function<bool(std::vector<GpuMemRow>&)> read;
    std::atomic<int> ended{0};
    std::atomic<int> process_looks{0};
  };
  explicit Scripted(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  ~Scripted() override { ++script_->ended; }

  Result<std::vector<GpuInfo>> probe() override {
    if (script_->probe_error) return *script_->probe_error;
    GpuInfo info;
    info.gpu_idx = 4;
    return std::vector{info};
  }
  bool read(std::vector<GpuMemRow>& rows) override {
    warn_once("read", "a warning");
    return script_->read(rows);
  }
  std::vector<std::int64_t> lost() const override { return {4}; }
  std::vector<ProcessUse> processes() override {
    ++script_->process_looks;
    return {{4, 99, 12}};
  }

 private:
  std::shared_ptr<Script> script_;
};

Sensor::MakeSource maker(const std::shared_ptr<Scripted::Script>& script) {
  return [script](int) { return std::make_unique<Scripted>(script); };
}

bool wait(const Sensor& sensor, int milliseconds = 5000) {
  pollfd wait{sensor.fd(), POLLIN, 0};
  return ::poll(&wait, 1, milliseconds) == 1;
}

TEST(Sensor, ProbesAndAnswers) {
  const auto script = std::make_shared<Scripted::Script>();
  script->read = [](std::vector<GpuMemRow>& rows) {
    rows.resize(1);
    rows[0].used_mib = 7;
    return true;
  };
  {
    Sensor sensor(maker(script));
    ASSERT_TRUE(wait(sensor));
    const auto probed = sensor.probed();
    ASSERT_TRUE(probed && probed->has_value());
    EXPECT_EQ((**probed)[0].gpu_idx, 4);
    Answer answer;
    EXPECT_FALSE(sensor.take(answer));
    for (int tick = 0; tick < 5; ++tick) {
      const auto asked = clock::RunClock::since_boot();
      sensor.ask();
      ASSERT_TRUE(wait(sensor));
      ASSERT_TRUE(sensor.take(answer));
      EXPECT_FALSE(sensor.take(answer));
      EXPECT_TRUE(answer.came);
      EXPECT_LE(asked, answer.begun);
      EXPECT_LE(answer.begun, answer.ended);
      ASSERT_EQ(answer.rows.size(), 1u);
      EXPECT_EQ(answer.rows[0].used_mib, 7);
      EXPECT_EQ(answer.lost, std::vector<std::int64_t>{4});
      EXPECT_EQ(answer.warnings.size(), tick == 0 ? 1u : 0u);
      EXPECT_EQ(answer.processes.size(), tick == 1 ? 1u : 0u);  // of the look after the first
    }
    EXPECT_EQ(script->process_looks, 1);
  }
  EXPECT_EQ(script->ended, 1);
}

TEST(Sensor, AFailedProbe) {
  const auto script = std::make_shared<Scripted::Script>();
  script->probe_error = Error{ExitCode::environment, "no driver"};
  Sensor sensor(maker(script));
  ASSERT_TRUE(wait(sensor));
  const auto probed = sensor.probed();
  ASSERT_TRUE(probed);
  EXPECT_EQ(probed->error().message, "no driver");
}

TEST(Sensor, ASourceThatThrowsMissesAndWarnsOnce) {
  const auto script = std::make_shared<Scripted::Script>();
  script->read = [](std::vector<GpuMemRow>&) -> bool { throw std::runtime_error("out of pipes"); };
  Sensor sensor(maker(script));
  ASSERT_TRUE(wait(sensor));
  sensor.probed();
  Answer answer;
  for (int tick = 0; tick < 2; ++tick) {
    sensor.ask();
    ASSERT_TRUE(wait(sensor));
    ASSERT_TRUE(sensor.take(answer));
    EXPECT_FALSE(answer.came);
    EXPECT_EQ(std::count(answer.warnings.begin(), answer.warnings.end(), "out of pipes"),
              tick == 0 ? 1 : 0);
  }
}

TEST(Sensor, TheEndDoesNotWaitForACallThatHangs) {
  const auto script = std::make_shared<Scripted::Script>();
  std::atomic<bool> release = false;
  script->read = [&](std::vector<GpuMemRow>&) {
    while (!release) std::this_thread::sleep_for(5ms);
    return true;
  };
  const auto begun = clock::RunClock::since_boot();
  {
    Sensor sensor(maker(script));
    ASSERT_TRUE(wait(sensor));
    sensor.probed();
    sensor.ask();
    EXPECT_FALSE(wait(sensor, 50));
  }
  const auto took = clock::RunClock::since_boot() - begun;
  EXPECT_GE(took, Sensor::kLongestEnd);
  EXPECT_LT(took, Sensor::kLongestEnd + 1s);
  EXPECT_EQ(script->ended, 0);
  // The thread that nobody waited for ends by itself once the call returns.
  release = true;
  for (int i = 0; i < 400 && script->ended == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(script->ended, 1);
}

}  // namespace
}  // namespace memprof::gpu
