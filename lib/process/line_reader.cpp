#include "process/line_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <unistd.h>

namespace memprof::process {

std::vector<std::string> LineReader::read() {
  std::vector<std::string> lines;
  if (!is_open()) return lines;
  std::array<char, 1u << 16> buffer;
  const auto got = ::read(pipe_.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return lines;
  if (got <= 0) {
    pipe_.reset();
    if (!rest_.empty()) lines.push_back(std::move(rest_));
    return lines;
  }
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    rest_.append(piece.substr(0, std::min(piece.size(), kMostLineBytes - rest_.size())));
    if (end == std::string_view::npos) break;
    lines.push_back(std::move(rest_));
    rest_.clear();
    bytes.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace memprof::process
