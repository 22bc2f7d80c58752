#include "process/sibling.hpp"

#include "records/error.hpp"

#include <fmt/format.h>

#include <filesystem>

#include <unistd.h>

namespace memprof::process {

std::string sibling(std::string_view tool) {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  auto path = (own.parent_path() / tool).string();
  if (error || ::access(path.c_str(), F_OK) != 0) {
    throw ToolError(ExitCode::environment,
                    fmt::format("{} is not there: build the whole project (scripts/build.sh)",
                                error ? std::string(tool) : path));
  }
  if (::access(path.c_str(), X_OK) != 0) {
    throw ToolError(ExitCode::environment,
                    fmt::format("{} is not executable: make it so (chmod 755), or build the "
                                "project again (scripts/build.sh)",
                                path));
  }
  return path;
}

}  // namespace memprof::process
