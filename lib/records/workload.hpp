#pragma once

#include "records/units.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace memprof {

BOOST_DEFINE_ENUM_CLASS(PrefixMode, low, high)
BOOST_DEFINE_ENUM_CLASS(PromptFormat, text, token_ids)
/// What runs together: all requests of a concurrency level, or one grid cell at a time, so that
/// memory can be attributed to it.
BOOST_DEFINE_ENUM_CLASS(Schedule, group, condition)

/// The grid that a workload is made from. Its defaults are the original scripts': 48 requests.
struct WorkloadSpec {
  std::vector<std::int64_t> input_lens{8192, 16384, 32768};  ///< prompt tokens
  std::vector<std::int64_t> output_lens{64, 128};            ///< tokens to generate
  std::vector<std::int64_t> concurrencies{8, 16, 32, 64};    ///< requests in flight
  std::vector<PrefixMode> prefix_modes{PrefixMode::low, PrefixMode::high};
  std::optional<std::int64_t> n_per_condition{1};  ///< none: `auto`, enough to reach every level
  Schedule schedule = Schedule::group;             ///< decides what `auto` means
  std::uint64_t seed = 0;                          ///< same spec and seed: same bytes
  double chars_per_token = 8.2;                    ///< of the tokenizer, on our text
  double high_prefix_share = 0.9;                  ///< shared part of a `high` prompt, 0–1
  PromptFormat prompt_format = PromptFormat::text;
  std::int64_t vocab_size = 32000;  ///< ids come from its middle half, away from special ids
};

/// `extra` of a workload line; both optional when read.
struct WorkloadExtra {
  std::optional<PrefixMode> prefix_mode;
  std::optional<std::int64_t> rep;  ///< repetition within its condition, from 0
};
BOOST_DESCRIBE_STRUCT(WorkloadExtra, (), (prefix_mode, rep))

/// One line of workload.jsonl, in the order of its keys. Exactly one of `prompt` and
/// `prompt_token_ids` is there.
struct WorkloadRequest {
  std::string req_id;
  std::optional<std::string> prompt;
  Tokens input_len = 0;   ///< target prompt tokens
  Tokens output_len = 0;  ///< tokens to generate
  std::int64_t concurrency_group = 0;
  WorkloadExtra extra;
  std::optional<std::vector<std::int64_t>> prompt_token_ids;
};
BOOST_DESCRIBE_STRUCT(WorkloadRequest, (),
                      (req_id, prompt, input_len, output_len, concurrency_group, extra,
                       prompt_token_ids))

}  // namespace memprof
