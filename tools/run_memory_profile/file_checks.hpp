#pragma once

#include "records/manifest.hpp"
#include "run_folder.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace memprof::profile {

/// Size and SHA-256 of a file; of one over 256 MiB of an interrupted run the size alone.
FileCheck check_file(const std::filesystem::path& path, bool interrupted);

/// Size and SHA-256 of every file of the folder but manifest.json, by their paths in it. An
/// interrupted run's end must not wait for files over 256 MiB: those have no checksum.
std::map<std::string, FileCheck> check_files(const RunFolder& folder, bool interrupted);

}  // namespace memprof::profile
