#include "process/descriptor.hpp"

#include "records/error.hpp"

#include <array>

#include <fcntl.h>
#include <unistd.h>

namespace memprof::process {

void Descriptor::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Descriptor above_streams(int fd) {
  if (fd < 0 || fd > 2) return Descriptor(fd);
  const Descriptor low(fd);
  return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw ToolError(ExitCode::environment, "too few file descriptors: raise `ulimit -n`");
  }
  Pipe pipe{above_streams(ends[0]), above_streams(ends[1])};
  // Only the reading end: O_NONBLOCK on the other would reach the child.
  ::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

}  // namespace memprof::process
