#pragma once

#include <utility>

namespace memprof::process {

/// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read_end;   ///< does not block
  Descriptor write_end;
};

/// Takes `fd` and gives it a number above 2, so that making it a child's stream cannot overwrite
/// another one. Not open when `fd` is not (errno says why).
Descriptor above_streams(int fd);

/// Both ends close on exec; a child gets an end through Spec. Throws a ToolError (environment).
Pipe make_pipe();

}  // namespace memprof::process
