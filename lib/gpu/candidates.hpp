#pragma once

#include "gpu/source.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace memprof::gpu {

/// Which backends to try, in order. Without a choice: the first that works is used; a simulator is
/// never one of them.
std::vector<Backend> candidates(std::optional<Backend> chosen);

/// `backend` is not none.
std::unique_ptr<GpuSource> make_source(Backend backend, SourceSpec spec);

/// True: a reading comes when the source has one; false: when it is asked for.
constexpr bool paces_itself(Backend backend) { return backend == Backend::nvidia_smi; }

/// How long a probe may take: a driver without its persistence daemon initialises every GPU first,
/// 1 to 3 s each.
std::chrono::nanoseconds probe_patience();

}  // namespace memprof::gpu
