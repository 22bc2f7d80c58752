#pragma once

#include <cstdint>
#include <vector>

namespace memprof::profile {

/// The processes that listen on a TCP port of this machine, with all their descendants, and with
/// the ancestors that run the same program: vLLM's engines and workers are among them. Empty when
/// nothing is found, for one because those processes are another user's or in another container.
std::vector<std::int64_t> processes_behind_port(std::uint16_t port);

}  // namespace memprof::profile
