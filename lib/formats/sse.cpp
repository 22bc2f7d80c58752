#include "formats/sse.hpp"

#include <algorithm>
#include <utility>

namespace memprof::formats {
namespace {

/// Where the line ends, or npos. Bare `\r` is rare: it is looked for only before the `\n`.
std::size_t line_end(std::string_view bytes) {
  const auto newline = bytes.find('\n');
  const auto cr = bytes.substr(0, newline).find('\r');
  return cr == std::string_view::npos ? newline : cr;
}

}  // namespace

void SseScanner::reset() {
  line_.clear();
  has_data_ = false;
  after_cr_ = false;
  first_line_ = true;
}

bool SseScanner::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const auto end = line_end(bytes);
    if (line_.size() + std::min(end, bytes.size()) > kMostLineBytes) return false;
    if (end == std::string_view::npos) {
      line_ += bytes;
      break;
    }
    after_cr_ = bytes[end] == '\r';
    if (line_.empty()) {
      take_line(bytes.substr(0, end));
    } else {
      line_ += bytes.substr(0, end);
      take_line(line_);
      // The data must outlive the line's buffer.
      if (has_data_ && data_.data() != kept_.data()) {
        kept_.assign(data_);
        data_ = kept_;
      }
      line_.clear();
    }
    if (has_data_ && data_.size() > kMostLineBytes) return false;
    bytes.remove_prefix(end + 1);
  }
  if (has_data_ && data_.data() != kept_.data()) {
    kept_.assign(data_);
    data_ = kept_;
  }
  return true;
}

void SseScanner::take_line(std::string_view line) {
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) {
    line.remove_prefix(3);  // a byte order mark
  }
  if (line.empty()) return dispatch();
  if (!line.starts_with("data")) return;
  line.remove_prefix(4);
  if (line.empty()) return add_data({});
  if (line.front() != ':') return;
  line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  add_data(line);
}

void SseScanner::add_data(std::string_view data) {
  if (!has_data_) {
    has_data_ = true;
    data_ = data;
    return;
  }
  if (data_.data() != kept_.data()) kept_.assign(data_);
  kept_ += '\n';
  kept_ += data;
  data_ = kept_;
}

void SseScanner::dispatch() {
  if (!has_data_) return;
  has_data_ = false;
  sink_.on_event(data_);
}

}  // namespace memprof::formats
