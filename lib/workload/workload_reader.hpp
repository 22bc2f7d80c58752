#pragma once

#include "records/error.hpp"
#include "records/workload.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace memprof::workload {

/// The longest line that is read or generated.
inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

/// Reads workload.jsonl, given in pieces of any size, a line at a time in bounded memory.
/// Liberal: unknown keys are passed over, blank lines skipped, CRLF and a byte order mark accepted.
/// An Error (usage) reads `FILE:LINE: KEY: what is wrong`; lines count from 1, blank ones too.
class WorkloadReader {
 public:
  using OnRequest = std::function<void(WorkloadRequest&&)>;

  /// `name` is the file's, for messages; `-` for stdin.
  WorkloadReader(std::string name, OnRequest on_request);

  /// After an Error the reader is of no more use.
  Result<void> feed(std::string_view bytes);
  /// The stream's end; a last line without a line end counts. The number of requests read.
  Result<std::int64_t> finish();

 private:
  /// 128 bits stand for a req_id: 16 bytes instead of a copy of each.
  struct IdHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    bool operator==(const IdHash&) const = default;
  };
  struct LowHalf {
    std::size_t operator()(const IdHash& hash) const { return hash.low; }
  };
  static IdHash hash_id(std::string_view id);

  Result<void> take_line(std::string_view line);
  [[nodiscard]] Error wrong(std::string_view what) const;

  std::string name_;
  OnRequest on_request_;
  std::string partial_line_;
  std::int64_t line_ = 0;
  std::int64_t requests_ = 0;
  std::unordered_set<IdHash, LowHalf> ids_;
};

/// One line, without its line end. An Error (usage) reads `KEY: what is wrong`.
Result<WorkloadRequest> parse_request(std::string_view line);

/// Calls `on_request` with one request after the other of `path` (`-`: stdin); nothing is kept.
/// Returns their number, or an Error: a bad line (usage), or no way to read the file (environment).
/// Requests before a bad line have been handed over by then.
Result<std::int64_t> read_workload(const std::string& path,
                                   const WorkloadReader::OnRequest& on_request);

}  // namespace memprof::workload
