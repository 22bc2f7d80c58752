#pragma once

#include "records/manifest.hpp"
#include "run_folder.hpp"

#include <map>
#include <string>

namespace memprof::profile {

/// Size and SHA-256 of every file of the folder but manifest.json, by their paths in it. An
/// interrupted run's end must not wait for files over 256 MiB: those have no checksum.
std::map<std::string, FileCheck> check_files(const RunFolder& folder, bool interrupted);

}  // namespace memprof::profile
