#pragma once

#include "records/units.hpp"
#include "vllm_api/histogram.hpp"

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace memprof::vllm_api {

/// `name="value"`, the value escaped.
std::string label(std::string_view name, std::string_view value);

/// A sample of a family that has one for each value of a label.
struct LabelledValue {
  std::string_view label;
  double value = 0;
};
using LabelledValues = std::initializer_list<LabelledValue>;

/// Writes metric families as Python's Prometheus client does: labels in alphabetical order,
/// `_total` behind a counter's name, and a gauge `_created` after each counter and histogram.
/// Engine is "0".
class MetricsWriter {
 public:
  /// `model_label` is label("model_name", …), `created` Unix seconds.
  MetricsWriter(std::string_view model_label, Seconds created);

  /// From now on only samples of these names; the names must live as long as the writer.
  void only(std::span<const std::string> names) { names_ = names; }

  void gauge(std::string_view name, std::string_view help, double value);
  void gauge(std::string_view name, std::string_view help, std::string_view label_name,
             LabelledValues values);
  /// With all its labels, as they stand in the text; none: empty.
  void gauge_with_labels(std::string_view name, std::string_view help, std::string_view labels,
                         double value);
  void counter(std::string_view name, std::string_view help, double value);
  void counter(std::string_view name, std::string_view help, std::string_view label_name,
               LabelledValues values);
  void counter_without_engine(std::string_view name, std::string_view help,
                              std::string_view label_name, LabelledValues values);
  void histogram(std::string_view name, std::string_view help, const Histogram& histogram);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  /// A family; its two comment lines are written with its first sample.
  struct Family {
    std::string_view name;
    std::string_view suffix;
    std::string_view help;
    std::string_view type;
    bool begun = false;
  };
  void labelled_counter(std::string_view name, std::string_view help, std::string_view engine,
                        std::string_view label_name, LabelledValues values);
  void write_created(std::string_view name, std::string_view help, std::string_view labels);
  void samples(Family& family, std::string_view engine, std::string_view label_name,
               LabelledValues values);
  void sample(Family& family, std::string_view suffix, std::string_view labels, double value);
  [[nodiscard]] std::string labels_with(std::string_view engine, std::string_view label_name,
                                        std::string_view value) const;
  [[nodiscard]] bool is_wanted(const Family& family, std::string_view suffix) const;

  std::string model_label_;
  std::string engine_label_;
  Seconds created_;
  std::optional<std::span<const std::string>> names_;
  std::string out_;
};

}  // namespace memprof::vllm_api
