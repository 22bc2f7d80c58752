#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::formats {

struct PrometheusLabel {
  std::string_view name;
  std::string_view value;  ///< unescaped; any bytes
};

/// A line like `vllm:num_requests_running{engine="0"} 3.0`. Views are valid during the call.
struct PrometheusSample {
  std::string_view name;
  std::span<const PrometheusLabel> labels;
  double value = 0;  ///< also NaN and ±infinity

  /// A label's value, or none.
  [[nodiscard]] std::optional<std::string_view> label(std::string_view label_name) const;
};

/// The Prometheus text format (0.0.4, 1.0.0 and OpenMetrics) as a state machine: bytes in, samples
/// out. Comments, `# TYPE` included, are passed over: a sample is known by its name alone.
/// Timestamps and exemplars are allowed and dropped. CRLF is accepted.
class PrometheusScanner {
 public:
  class Sink {
   public:
    /// Asked before the rest of a line is looked at; most lines are of no interest.
    virtual bool wants(std::string_view name) = 0;
    virtual void on_sample(const PrometheusSample& sample) = 0;

   protected:
    ~Sink() = default;
  };
  static constexpr std::size_t kMostLineBytes = 64 << 10;

  explicit PrometheusScanner(Sink& sink) : sink_(sink) {}

  /// Forgets everything, for the next text.
  void reset();
  /// Any split of the bytes gives the same samples.
  void feed(std::string_view bytes);
  /// The text's end. What stands after the last line end is passed over: every line ends in one, so
  /// this was cut, and half a number would be a wrong number.
  void finish();
  /// Lines passed over: cut, longer than kMostLineBytes, without a name, or of a wanted name and
  /// not readable. Lines of other names are not looked at.
  [[nodiscard]] std::int64_t broken_lines() const { return broken_lines_; }

 private:
  void take_line(std::string_view line);
  bool read_sample(std::string_view name, std::string_view rest);
  bool read_labels(std::string_view& rest);
  bool read_label_value(std::string_view& rest, std::string_view& value);

  Sink& sink_;
  std::string line_;  // the beginning of a line whose end has not come
  bool too_long_ = false;  // that line is: the rest of it is passed over
  std::int64_t broken_lines_ = 0;
  std::vector<PrometheusLabel> labels_;
  std::string unescaped_;  // values that held escapes; as long as the line, so that views stay
};

}  // namespace memprof::formats
