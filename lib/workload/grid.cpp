#include "workload/grid.hpp"

#include "formats/number.hpp"
#include "workload/prompts.hpp"
#include "workload/workload_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace memprof::workload {
namespace {

std::int64_t conditions_per_level(const WorkloadSpec& spec) {
  return static_cast<std::int64_t>(spec.input_lens.size() * spec.output_lens.size() *
                                   spec.prefix_modes.size());
}

}  // namespace

std::int64_t requests_per_condition(const WorkloadSpec& spec, std::int64_t concurrency) {
  if (spec.n_per_condition) return *spec.n_per_condition;
  if (spec.schedule == Schedule::condition) return concurrency;
  const std::int64_t conditions = conditions_per_level(spec);
  return (concurrency + conditions - 1) / conditions;
}

Result<std::int64_t> count_requests(const WorkloadSpec& spec) {
  const auto longest = *std::max_element(spec.input_lens.begin(), spec.input_lens.end());
  if (max_prompt_bytes(spec, longest) > static_cast<double>(kMaxLineBytes)) {
    return Error{ExitCode::usage,
                 fmt::format("--input-lens: a prompt of {} tokens can make a line of more than {} "
                             "MiB, the longest that is read back",
                             longest, kMaxLineBytes >> 20)};
  }
  double total = 0;  // exact below 2^53, far above what is allowed
  for (const auto concurrency : spec.concurrencies) {
    total += static_cast<double>(requests_per_condition(spec, concurrency)) *
             static_cast<double>(conditions_per_level(spec));
  }
  if (total > static_cast<double>(kMaxRequests)) {
    return Error{ExitCode::usage,
                 fmt::format("the grid makes {} requests; at most {} are allowed: fewer "
                             "--n-per-condition or shorter lists",
                             formats::format_number(total), kMaxRequests)};
  }
  return static_cast<std::int64_t>(total);
}

void for_each_request(const WorkloadSpec& spec,
                      const std::function<bool(const GridRequest&)>& take) {
  GridRequest request;
  std::vector<std::int64_t> sharers(2 * spec.input_lens.size());
  for (const auto concurrency : spec.concurrencies) {
    request.concurrency = concurrency;
    const std::int64_t repetitions = requests_per_condition(spec, concurrency);
    for (std::size_t input = 0; input < spec.input_lens.size(); ++input) {
      request.input_index = input;
      request.input_len = spec.input_lens[input];
      for (const auto output_len : spec.output_lens) {
        request.output_len = output_len;
        for (const auto mode : spec.prefix_modes) {
          request.prefix_mode = mode;
          auto& sharer = sharers[2 * input + (mode == PrefixMode::high)];
          for (request.rep = 0; request.rep < repetitions; ++request.rep) {
            request.sharer = sharer++;
            if (!take(request)) return;
            ++request.index;
          }
        }
      }
    }
  }
}

GridRequest first_request(const WorkloadSpec& spec, std::size_t input_index, PrefixMode mode) {
  GridRequest found;
  for_each_request(spec, [&](const GridRequest& request) {
    found = request;
    return request.input_index != input_index || request.prefix_mode != mode;
  });
  return found;
}

}  // namespace memprof::workload
