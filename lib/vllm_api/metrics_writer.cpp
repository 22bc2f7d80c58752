#include "vllm_api/metrics_writer.hpp"

#include "vllm_api/python_text.hpp"

#include <algorithm>

namespace memprof::vllm_api {
namespace {

bool concatenates_to(std::string_view whole, std::string_view front, std::string_view back) {
  return whole.size() == front.size() + back.size() && whole.starts_with(front) &&
         whole.ends_with(back);
}

}  // namespace

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

MetricsWriter::MetricsWriter(std::string_view model_label, Seconds created)
    : model_label_(model_label), engine_label_(label("engine", "0")), created_(created) {
  out_.reserve(std::size_t{64} << 10);
}

void MetricsWriter::gauge(std::string_view name, std::string_view help, double value) {
  Family family{name, "", help, "gauge"};
  sample(family, "", engine_label_ + "," + model_label_, value);
}

void MetricsWriter::gauge(std::string_view name, std::string_view help,
                          std::string_view label_name, LabelledValues values) {
  Family family{name, "", help, "gauge"};
  samples(family, engine_label_, label_name, values);
}

void MetricsWriter::gauge_with_labels(std::string_view name, std::string_view help,
                                      std::string_view labels, double value) {
  Family family{name, "", help, "gauge"};
  sample(family, "", labels, value);
}

void MetricsWriter::counter(std::string_view name, std::string_view help, double value) {
  Family family{name, "_total", help, "counter"};
  const std::string labels = engine_label_ + "," + model_label_;
  sample(family, "", labels, value);
  write_created(name, help, labels);
}

void MetricsWriter::counter(std::string_view name, std::string_view help,
                            std::string_view label_name, LabelledValues values) {
  labelled_counter(name, help, engine_label_, label_name, values);
}

void MetricsWriter::counter_without_engine(std::string_view name, std::string_view help,
                                           std::string_view label_name, LabelledValues values) {
  labelled_counter(name, help, "", label_name, values);
}

void MetricsWriter::labelled_counter(std::string_view name, std::string_view help,
                                     std::string_view engine, std::string_view label_name,
                                     LabelledValues values) {
  Family family{name, "_total", help, "counter"};
  samples(family, engine, label_name, values);
  Family created{name, "_created", help, "gauge"};
  for (const auto& value : values) {
    sample(created, "", labels_with(engine, label_name, value.label), created_);
  }
}

void MetricsWriter::histogram(std::string_view name, std::string_view help,
                              const Histogram& histogram) {
  Family family{name, "", help, "histogram"};
  const std::string before = engine_label_ + ",le=\"";
  const std::string after = "\"," + model_label_;
  const auto bounds = histogram.bounds();
  double at_most = 0;
  std::string labels;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    at_most += static_cast<double>(histogram.count(i));
    labels = before;
    if (i < bounds.size()) {
      append_metric_number(labels, bounds[i]);
    } else {
      labels += "+Inf";
    }
    labels += after;
    sample(family, "_bucket", labels, at_most);
  }
  labels = engine_label_ + "," + model_label_;
  sample(family, "_count", labels, at_most);
  sample(family, "_sum", labels, histogram.sum());
  write_created(name, help, labels);
}

void MetricsWriter::write_created(std::string_view name, std::string_view help,
                                  std::string_view labels) {
  Family family{name, "_created", help, "gauge"};
  sample(family, "", labels, created_);
}

void MetricsWriter::samples(Family& family, std::string_view engine, std::string_view label_name,
                            LabelledValues values) {
  for (const auto& value : values) {
    sample(family, "", labels_with(engine, label_name, value.label), value.value);
  }
}

std::string MetricsWriter::labels_with(std::string_view engine, std::string_view label_name,
                                       std::string_view value) const {
  std::string labels(engine);
  const auto add = [&](std::string_view one) {
    if (!labels.empty()) labels += ',';
    labels += one;
  };
  const bool before_model = label_name < "model_name";
  if (before_model) add(label(label_name, value));
  add(model_label_);
  if (!before_model) add(label(label_name, value));
  return labels;
}

void MetricsWriter::sample(Family& family, std::string_view suffix, std::string_view labels,
                           double value) {
  if (!is_wanted(family, suffix)) return;
  if (!std::exchange(family.begun, true)) {
    for (const auto& [word, text] : {std::pair{"# HELP ", family.help},
                                     std::pair{"# TYPE ", family.type}}) {
      out_.append(word).append(family.name).append(family.suffix).append(" ").append(text);
      out_ += '\n';
    }
  }
  out_.append(family.name).append(family.suffix).append(suffix);
  if (!labels.empty()) out_.append("{").append(labels).append("}");
  out_ += ' ';
  append_metric_number(out_, value);
  out_ += '\n';
}

bool MetricsWriter::is_wanted(const Family& family, std::string_view suffix) const {
  if (!names_) return true;
  // A family's suffix and a sample's never come together.
  const auto end = family.suffix.empty() ? suffix : family.suffix;
  return std::any_of(names_->begin(), names_->end(), [&](const std::string& name) {
    return concatenates_to(name, family.name, end);
  });
}

}  // namespace memprof::vllm_api
