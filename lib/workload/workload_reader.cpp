#include "workload/workload_reader.hpp"

#include "files/document.hpp"
#include "formats/text.hpp"

#include <fmt/format.h>

#include <utility>

namespace memprof::workload {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Leaves read_in_pieces at the first bad line instead of reading the rest of the file.
struct BadLine {
  Error error;
};

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash ^ (hash >> 32);
}

}  // namespace

WorkloadReader::WorkloadReader(std::string name, OnRequest on_request)
    : name_(std::move(name)), on_request_(std::move(on_request)) {}

WorkloadReader::IdHash WorkloadReader::hash_id(std::string_view id) {
  return {fnv1a(id, 0xCBF29CE484222325u), fnv1a(id, 0x9E3779B97F4A7C15u)};
}

Error WorkloadReader::wrong(std::string_view what) const {
  return {ExitCode::usage, fmt::format("{}:{}: {}", name_, line_, what)};
}

Result<void> WorkloadReader::feed(std::string_view bytes) {
  for (;;) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    if (partial_line_.size() + piece.size() > kMaxLineBytes) {
      ++line_;
      return wrong(fmt::format("line: longer than {} MiB", kMaxLineBytes >> 20));
    }
    if (end == std::string_view::npos) {
      partial_line_ += piece;
      return {};
    }
    bytes.remove_prefix(end + 1);
    if (partial_line_.empty()) {
      if (auto taken = take_line(piece); taken.has_error()) return taken;
    } else {
      partial_line_ += piece;
      auto taken = take_line(partial_line_);
      partial_line_.clear();
      if (taken.has_error()) return taken;
    }
  }
}

Result<std::int64_t> WorkloadReader::finish() {
  if (!partial_line_.empty()) {
    if (const auto taken = take_line(partial_line_); taken.has_error()) return taken.error();
    partial_line_.clear();
  }
  return requests_;
}

Result<void> WorkloadReader::take_line(std::string_view line) {
  ++line_;
  if (line_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  line = formats::trim(line);
  if (line.empty()) return {};
  auto request = parse_request(line);
  if (request.has_error()) return wrong(request.error().message);
  if (!ids_.insert(hash_id(request->req_id)).second) {
    return wrong(fmt::format("req_id: '{}' is repeated; each must be unique",
                             formats::one_line(request->req_id, 80)));
  }
  ++requests_;
  on_request_(std::move(*request));
  return {};
}

Result<std::int64_t> read_workload(const std::string& path,
                                   const WorkloadReader::OnRequest& on_request) {
  WorkloadReader reader(path, on_request);
  try {
    const auto read = files::read_in_pieces(path, files::Source::any, [&](std::string_view bytes) {
      if (const auto fed = reader.feed(bytes); fed.has_error()) throw BadLine{fed.error()};
    });
    if (read.has_error()) return read.error();
  } catch (const BadLine& bad) {
    return bad.error;
  }
  return reader.finish();
}

}  // namespace memprof::workload
