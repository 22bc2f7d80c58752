#pragma once

#include "records/manifest.hpp"

namespace memprof::profile {

/// What this machine says of itself; what it does not say stays empty.
HostInfo read_host_info();

}  // namespace memprof::profile
