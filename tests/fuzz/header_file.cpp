#include "formats/text.hpp"
#include "http/credentials.hpp"
#include "input.hpp"

#include <string>

#include <sys/mman.h>
#include <unistd.h>

/// A file of header lines, and the same bytes as a file with a key.
namespace memprof::fuzz {
namespace {

/// A file in memory that has a path.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("secret", MFD_CLOEXEC)) {
    require(fd_ >= 0, "there is a file");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void fill(std::string_view text) const {
    require(::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, text.data(), text.size(), 0) ==
                                            static_cast<ssize_t>(text.size()),
            "the file takes it");
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void check(const TargetSpec& target) {
  const auto headers = http::read_headers(target);
  if (headers.has_error()) {
    const auto& words = headers.error().message;
    require(!words.empty() && words == formats::one_line(words, words.size()),
            "an error is one line of text");
    return;
  }
  for (const auto& [name, value] : *headers) {
    require(!name.empty() && name.find_first_of(std::string_view(":\r\n \t\0", 6)) ==
                                 std::string::npos,
            "a name is a token");
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
            "a value adds no line to a request");
  }
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  static const fuzz::MemoryFile file;
  file.fill(fuzz::text_of(data, size));
  TargetSpec headers;
  headers.header_file = file.path();
  fuzz::check(headers);
  TargetSpec key;
  key.api_key_file = file.path();
  fuzz::check(key);
  return 0;
}
