#include "files/output.hpp"

#include "records/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memprof::files {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's
constexpr int kMostTemporaries = 100;
constexpr mode_t kMode = 0644;
/// A name that was free when it was looked at may be a link by now: it is not followed.
constexpr int kCreate = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

[[noreturn]] void fail(const std::string& path, std::string_view why) {
  throw ToolError(ExitCode::environment, fmt::format("{}: cannot write: {}", path, why));
}

bool is_link(const std::string& path, struct stat& status) {
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

bool is_no_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

OutputPlace place_of_output(const std::string& path, Links links) {
  struct stat status {};
  if (links == Links::replaced) {
    const bool there = ::lstat(path.c_str(), &status) == 0;
    if (there && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) fail(path, "it is no file");
    return {path, false};
  }
  std::filesystem::path place(path);
  for (int n = 0; is_link(place, status); ++n) {
    // In a folder that others can write to, it may lead to a file that they want overwritten.
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
      fail(path, "it is a link that another user has made");
    }
    if (n == kMostLinks) fail(path, std::strerror(ELOOP));
    // Before it is read: what /dev/stdout leads to may have no name.
    if (is_no_file(place)) return {place, true};
    std::error_code error;
    const auto target = std::filesystem::read_symlink(place, error);
    if (error) fail(path, error.message());
    place = place.parent_path() / target;
  }
  return {place, is_no_file(place)};
}

int open_output(const std::string& path, Links links) {
  const auto place = place_of_output(path, links);
  int fd = -1;
  if (links == Links::replaced) {
    ::unlink(path.c_str());
    fd = ::open(path.c_str(), kCreate | O_EXCL, kMode);
  } else if (place.in_place) {
    fd = ::open(place.path.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    fd = ::open(place.path.c_str(), kCreate | O_TRUNC, kMode);
  }
  if (fd < 0) fail(path, std::strerror(errno));
  return fd;
}

int open_temporary(const std::string& path, std::string& name) {
  // Others may know the name in advance, and a killed process may have left it.
  for (int n = 0; n < kMostTemporaries; ++n) {
    name = fmt::format("{}.tmp{}{}", path, ::getpid(), n == 0 ? "" : fmt::format("-{}", n));
    const int fd = ::open(name.c_str(), kCreate | O_EXCL, kMode);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

}  // namespace memprof::files
