#pragma once

#include <string>
#include <string_view>

/// How Python writes values: vLLM's messages and metrics hold them.
namespace memprof::vllm_api {

/// `repr` of a float: the shortest text that reads back the same: `0.92`, `8.0`, `1e+16`, `inf`.
std::string python_float(double value);
/// `repr` of a str, quotes included; `text` is UTF-8.
std::string python_string(std::string_view text);

/// A number as Python's Prometheus client writes it: as python_float, but 1234567.0 is
/// `1.234567e+06`, and `+Inf`.
void append_metric_number(std::string& out, double value);

}  // namespace memprof::vllm_api
