#include "gpu/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace memprof::gpu {
namespace {

TEST(Candidates, AutoTriesTheDriversLibraryFirst) {
  EXPECT_EQ(candidates({}),
            (std::vector{Backend::nvml, Backend::nvidia_smi, Backend::amdgpu}));
}

TEST(Candidates, AutoNeverTriesASimulator) {
  const auto tried = candidates({});
  EXPECT_EQ(std::count(tried.begin(), tried.end(), Backend::simulated), 0);
}

TEST(Candidates, ANamedOneIsTheOnlyOne) {
  EXPECT_EQ(candidates(Backend::nvidia_smi_poll), std::vector{Backend::nvidia_smi_poll});
}

TEST(Candidates, EveryBackendButNoneHasASource) {
  for (const auto backend :
       {Backend::nvml, Backend::nvidia_smi, Backend::nvidia_smi_poll, Backend::amdgpu}) {
    EXPECT_NE(make_source(backend, {}), nullptr);
  }
  SourceSpec spec;
  spec.simulator.emplace();
  EXPECT_NE(make_source(Backend::simulated, spec), nullptr);
  EXPECT_EQ(make_source(Backend::none, {}), nullptr);
}

TEST(Candidates, OnlyTheStreamPacesItself) {
  EXPECT_TRUE(paces_itself(Backend::nvidia_smi));
  EXPECT_FALSE(paces_itself(Backend::nvidia_smi_poll));
  EXPECT_FALSE(paces_itself(Backend::nvml));
}

TEST(Candidates, AProbeHasFiveSecondsAtLeast) {
  EXPECT_GE(probe_patience(), std::chrono::seconds(5));
}

}  // namespace
}  // namespace memprof::gpu
