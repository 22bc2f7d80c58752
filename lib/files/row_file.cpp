#include "files/row_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace memprof::files {
namespace {

[[noreturn]] void fail(const std::string& name, const char* what, int error) {
  throw ToolError(ExitCode::environment,
                  fmt::format("{}: {}: {}", name, what, std::strerror(error)));
}

}  // namespace

LineFile::LineFile(const std::string& path, Links links)
    : name_(path == "-" ? "stdout" : path) {
  if (path == "-") {
    fd_ = STDOUT_FILENO;
    return;
  }
  fd_ = open_output(path, links);
  owned_ = true;
}

LineFile::~LineFile() {
  if (owned_) ::close(fd_);
}

LineFile::LineFile(LineFile&& other) noexcept
    : name_(std::move(other.name_)), fd_(other.fd_), owned_(std::exchange(other.owned_, false)) {}

void LineFile::write(std::string_view lines) {
  std::size_t done = 0;
  while (done < lines.size()) {
    const auto written = ::write(fd_, lines.data() + done, lines.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {  // a pipe that another process made non-blocking
      pollfd wait{fd_, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      const int error = errno;
      // Take back the part of a row that did fit; a pipe cannot, and needs not.
      const auto end = owned_ ? ::lseek(fd_, 0, SEEK_CUR) : -1;
      if (end >= static_cast<off_t>(done)) {
        [[maybe_unused]] const int undone = ::ftruncate(fd_, end - static_cast<off_t>(done));
      }
      fail(name_, "cannot write", error);
    }
  }
}

}  // namespace memprof::files
