#pragma once

#include "cli/run_tool.hpp"
#include "cli/stop_signal.hpp"
#include "process/child.hpp"
#include "records/manifest.hpp"
#include "run_folder.hpp"

#include <optional>
#include <string>
#include <vector>

namespace memprof::profile {

/// One of our tools, started for this run: its stderr goes to logs/<tool>.log, its account to
/// logs/<tool>.stats.json, and what became of it to a ChildRecord.
class ToolChild {
 public:
  /// Throws a ToolError (environment) when it cannot be started. `arguments` hold no secret: any
  /// process may read them. `inherited`: see process::Spec. `output`: its
  /// stdout.
  ToolChild(const std::string& tool, std::vector<std::string> arguments, const RunFolder& folder,
            const clock::RunClock& clock, std::vector<int> inherited = {},
            process::Stream output = {});

  [[nodiscard]] process::Child& child() { return child_; }
  /// Looks whether it has ended by itself.
  bool ended();
  /// Its end was seen by an earlier look.
  [[nodiscard]] bool seen_ended() const { return status_.has_value(); }
  /// Tells it to end and waits.
  void stop(const process::StopBounds& bounds);
  /// Whether it still ran when it was told to end.
  [[nodiscard]] bool was_told() const { return told_; }
  /// Its work is done with code 0; for the runner also 1: requests failed, and the rows say so.
  [[nodiscard]] bool ended_with(std::initializer_list<int> codes) const;
  [[nodiscard]] const std::string& name() const { return record_.name; }
  /// `gpu_mem_sampler: exit code 3: GPU 7 is not there…`
  [[nodiscard]] std::string last_words() const;
  /// The same, as what ends the run: usage when the tool said so, else environment.
  [[nodiscard]] Error as_error() const;
  /// A child's own warnings, which only its log has, to our stderr and account.
  void pass_on(const std::vector<std::string>& warnings, cli::Tool& tool) const;
  void set_ended_as_told(bool as_told) { record_.ended_as_told = as_told; }
  void set_rows(std::optional<std::int64_t> rows) { record_.rows = rows; }
  [[nodiscard]] const ChildRecord& record() const { return record_; }

 private:
  friend void stop_together(const std::vector<ToolChild*>& children,
                            const process::StopBounds& bounds);
  void note_end(std::optional<process::ExitStatus> status);

  const clock::RunClock& clock_;
  std::string log_;
  ChildRecord record_;
  std::optional<process::ExitStatus> status_;
  bool told_ = false;
  process::Child child_;
};

/// Waits until a child ends (or has ended unseen), a signal comes (false then), one of `fds` is
/// readable, or `deadline` (time since boot) is there.
bool wait_for_any(const std::vector<ToolChild*>& children, const std::vector<int>& fds,
                  const cli::StopSignal& stop, clock::SinceBoot deadline);

/// Tells all to end at once and waits, within the bounds of one.
void stop_together(const std::vector<ToolChild*>& children, const process::StopBounds& bounds);

clock::SinceBoot from_now(Seconds seconds);

/// How often a step looks whether its run can go on.
inline constexpr Seconds kBetweenLooks = 0.5;

/// How long children get at an ordinary end.
inline constexpr process::StopBounds kOrdinaryEnd{5, 2, 1};
/// After Ctrl-C all of them are gone within 3 s.
inline constexpr process::StopBounds kQuickEnd{1.6, 0.6, 0.5};

}  // namespace memprof::profile
