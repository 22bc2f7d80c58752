#include "files/document.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memprof::files {
namespace {

Error failure(const std::string& path, const char* what) {
  return {ExitCode::environment, fmt::format("{}: {}: {}", path, what, std::strerror(errno))};
}

/// Closes at the end of its scope.
struct Descriptor {
  int fd;
  explicit Descriptor(int value) : fd(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd > STDERR_FILENO) ::close(fd);
  }
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// -1 and errno when it cannot be opened.
int open_source(const std::string& path, Source source) {
  if (source == Source::any && path == "-") return STDIN_FILENO;
  // Opening a pipe waits for its writer. Reading a regular file is as without O_NONBLOCK.
  const int more = source == Source::regular_file ? O_NONBLOCK : 0;
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | more);
}

Result<void> check_source(const std::string& path, int fd, Source source) {
  if (fd < 0) return failure(path, "cannot read");
  if (source == Source::any) return {};
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failure(path, "cannot read");
  if (S_ISREG(status.st_mode)) return {};
  return Error{ExitCode::environment, path + ": is not a regular file; put a copy in its place"};
}

}  // namespace

DocumentFile::DocumentFile(const std::string& path, Links links) : path_(path) {
  if (path == "-") {
    path_ = "stdout";
    fd_ = STDOUT_FILENO;
    return;
  }
  const auto place = place_of_output(path, links);
  if (place.in_place) {
    fd_ = open_output(path, links);
    return;
  }
  path_ = place.path;
  fd_ = open_temporary(path_, temporary_);
  if (fd_ >= 0) return;
  temporary_.clear();
  throw ToolError(failure(path_, "cannot write"));
}

DocumentFile::~DocumentFile() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void DocumentFile::write(std::string_view text) {
  if (!write_all(fd_, text)) throw ToolError(failure(path_, "cannot write"));
}

void DocumentFile::finish() {
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw ToolError(failure(path_, "cannot write"));
  }
  temporary_.clear();
}

void write_document(const std::string& path, std::string_view text, Links links) {
  DocumentFile file(path, links);
  file.write(text);
  file.finish();
}

Result<void> read_in_pieces(const std::string& path, Source source,
                            const std::function<void(std::string_view)>& on_bytes) {
  const Descriptor file(open_source(path, source));
  if (auto bad = check_source(path, file.fd, source); bad.has_error()) return bad;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const auto got = ::read(file.fd, buffer.data(), buffer.size());
    if (got > 0) {
      on_bytes({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0) {
      return {};
    } else if (errno != EINTR) {
      return failure(path, "cannot read");
    }
  }
}

Result<std::string> read_document(const std::string& path, Source source, std::size_t max_bytes) {
  const Descriptor file(open_source(path, source));
  if (const auto bad = check_source(path, file.fd, source); bad.has_error()) return bad.error();
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const auto got = ::read(file.fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(path, "cannot read");
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return Error{ExitCode::environment,
                   fmt::format("{}: larger than {} MiB", path, max_bytes >> 20)};
    }
  }
}

}  // namespace memprof::files
