#pragma once

#include "gpu/nvidia_smi.hpp"
#include "gpu/smi_csv.hpp"
#include "gpu/source.hpp"

#include <string>
#include <vector>

namespace memprof::gpu {

/// What the two ways to use nvidia-smi have in common: its lines become rows.
class SmiSource : public GpuSource {
 public:
  explicit SmiSource(SourceSpec spec) : spec_(std::move(spec)), smi_(spec_.interrupt_fd) {}

  Result<std::vector<GpuInfo>> probe() override;
  [[nodiscard]] std::vector<std::int64_t> lost() const override;

 protected:
  struct Slot {
    GpuMemRow row;
    bool filled = false;
    bool lost = false;
  };

  /// Puts a line into its GPU's slot; a line that is none is kept in `words_`. True: all slots are
  /// filled.
  bool take_line(const std::string& line);
  [[nodiscard]] bool starts_next_batch(const std::string& line) const;
  /// Slots → rows; slots that no line came for are blank.
  void emit(std::vector<GpuMemRow>& rows);
  [[nodiscard]] std::chrono::nanoseconds patience() const;

  SourceSpec spec_;
  NvidiaSmi smi_;
  std::vector<Slot> slots_;
  std::vector<std::int64_t> lost_;
  std::string words_;
};

/// One nvidia-smi that prints by itself (-lms), started anew with growing pauses when it ends or
/// falls silent; rows are blank until it prints again.
class SmiStreamSource final : public SmiSource {
 public:
  using SmiSource::SmiSource;
  ~SmiStreamSource() override;

  bool read(std::vector<GpuMemRow>& rows) override;

 private:
  void start();
  void stop_child(std::string_view kind, const std::string& why);
  /// Reads what there is. True: a batch is whole; the newest one stands in the slots.
  bool collect_batch();
  void look_for_end();

  std::optional<process::Child> child_;
  bool blank_until_batch_ = false;
  clock::SinceBoot heard_at_{0};
  clock::SinceBoot start_at_{0};
  clock::SinceBoot next_blank_at_{0};
  BackOff back_off_;
};

/// A new nvidia-smi for every reading, as the original scripts did.
class SmiPollSource final : public SmiSource {
 public:
  using SmiSource::SmiSource;
  bool read(std::vector<GpuMemRow>& rows) override;
};

}  // namespace memprof::gpu
