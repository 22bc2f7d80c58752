#pragma once

#include "records/error.hpp"
#include "records/units.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

namespace memprof::profile {

/// A tag as part of a folder's name: letters, digits, `.`, `_`, `-` stay, any other run of
/// characters becomes one `_`, leading dots and dashes go, at most 64 characters. May be empty.
std::string sanitized_tag(std::string_view tag);

/// `20260225_100000_tag` (local time).
std::string make_run_id(Timestamp start, const std::optional<std::string>& tag);

/// Whether a folder can be made in `output_dir`, without making anything. Throws a ToolError
/// (environment) that names the folder in the way.
void check_output_dir(const std::string& output_dir);

/// The folder of one run, this run's alone.
class RunFolder {
 public:
  /// Makes it, with logs/ in it; `-2`, `-3`… is appended to `run_id` while there is one of that
  /// name. Throws a ToolError (environment).
  RunFolder(const std::string& output_dir, const std::string& run_id);

  /// Whether it still is where it was made, and no other is in its place.
  [[nodiscard]] bool is_there() const;
  /// What to say when it is not.
  [[nodiscard]] Error gone() const;
  /// Removes it with all that is in it: of a run that did not begin nothing is kept.
  void discard() const;

  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string log(std::string_view tool) const;
  [[nodiscard]] std::string stats(std::string_view tool) const;

 private:
  std::string run_id_;
  std::filesystem::path path_;
  std::pair<dev_t, ino_t> identity_;
};

}  // namespace memprof::profile
