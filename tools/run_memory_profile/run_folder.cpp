#include "run_folder.hpp"

#include "records/error.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <sys/stat.h>
#include <unistd.h>

namespace memprof::profile {
namespace {

constexpr std::size_t kMostTagCharacters = 64;
constexpr int kMostRunsInASecond = 10'000;
/// Whatever the umask: who can write into a run's folder can plant links there.
constexpr mode_t kOwnersAlone = 0755;

bool stays(unsigned char c) {
  return c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-');
}

[[noreturn]] void cannot_write(const std::filesystem::path& path, int reason) {
  throw ToolError(ExitCode::environment,
                  fmt::format("--output-dir: {}: cannot be written to: {}", path.string(),
                              std::strerror(reason)));
}

}  // namespace

std::string sanitized_tag(std::string_view tag) {
  std::string name;
  bool replaced = false;
  for (const char c : tag) {
    const bool kept = stays(static_cast<unsigned char>(c));
    if (kept || !replaced) name += kept ? c : '_';
    replaced = !kept;
  }
  const auto first = name.find_first_not_of(".-");
  name = first == std::string::npos ? "" : name.substr(first);
  return name.substr(0, kMostTagCharacters);
}

std::string make_run_id(Timestamp start, const std::optional<std::string>& tag) {
  const auto time = std::chrono::system_clock::to_time_t(start);
  std::tm local{};
  ::localtime_r(&time, &local);
  const std::string id = fmt::format("{:04}{:02}{:02}_{:02}{:02}{:02}", local.tm_year + 1900,
                                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min,
                                     local.tm_sec);
  const std::string name = tag ? sanitized_tag(*tag) : "";
  return name.empty() ? id : id + "_" + name;
}

void check_output_dir(const std::string& output_dir) {
  std::error_code error;
  auto existing = std::filesystem::absolute(output_dir, error).lexically_normal();
  struct stat status {};
  while (::stat(existing.c_str(), &status) != 0) {
    if (errno != ENOENT || !existing.has_relative_path()) cannot_write(existing, errno);
    existing = existing.parent_path();
  }
  if (!S_ISDIR(status.st_mode)) cannot_write(existing, ENOTDIR);
  if (::access(existing.c_str(), W_OK | X_OK) != 0) cannot_write(existing, errno);
}

RunFolder::RunFolder(const std::string& output_dir, const std::string& run_id) : run_id_(run_id) {
  std::error_code error;
  std::filesystem::create_directories(output_dir, error);
  if (error) cannot_write(output_dir, error.value());
  // A path that begins with a dash would be taken for a flag.
  const std::filesystem::path parent = output_dir.starts_with('-') ? "./" + output_dir : output_dir;
  // mkdir(2) is the lock: only one of two runs in the same second gets the name.
  for (int n = 2;; ++n) {
    path_ = parent / run_id_;
    if (::mkdir(path_.c_str(), kOwnersAlone) == 0) break;
    if (errno != EEXIST || n > kMostRunsInASecond) cannot_write(path_, errno);
    run_id_ = fmt::format("{}-{}", run_id, n);
  }
  const auto logs = path_ / "logs";
  struct stat status {};
  if (::mkdir(logs.c_str(), kOwnersAlone) != 0 || ::stat(path_.c_str(), &status) != 0) {
    cannot_write(logs, errno);
  }
  identity_ = {status.st_dev, status.st_ino};
}

bool RunFolder::is_there() const {
  struct stat status {};
  return ::stat(path_.c_str(), &status) == 0 &&
         identity_ == std::pair(status.st_dev, status.st_ino);
}

Error RunFolder::gone() const {
  return {ExitCode::environment,
          fmt::format("{}: the run's folder was removed or moved while it ran, and the run ends "
                      "with it; leave it in place until the run has ended",
                      path_.string())};
}

void RunFolder::discard() const {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string RunFolder::log(std::string_view tool) const {
  return file(fmt::format("logs/{}.log", tool));
}

std::string RunFolder::stats(std::string_view tool) const {
  return file(fmt::format("logs/{}.stats.json", tool));
}

}  // namespace memprof::profile
