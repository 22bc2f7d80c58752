#pragma once

#include "records/units.hpp"
#include "vllm_api/completion_request.hpp"
#include "vllm_api/json_body.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

/// The 400s of vLLM for requests that can be read but not served; none: it passes.
namespace memprof::vllm_api {

using MaybeError = std::optional<ApiError>;

/// Fields that an answer's length, memory and form depend on, and those with a range.
struct Parameters {
  std::optional<std::string_view> model;
  std::optional<Tokens> max_tokens;
  std::string_view max_tokens_name = "max_tokens";
  double presence_penalty = 0;
  double frequency_penalty = 0;
  double repetition_penalty = 1;
  double top_p = 1;
  std::int64_t top_k = 0;
  double min_p = 0;
  bool add_generation_prompt = true;
};

/// What vLLM looks at before it looks at types.
MaybeError check_before_types(const FieldReader& fields, bool chat);
/// What is asked for that would make an answer wrong.
MaybeError check_simulated(const FieldReader& fields, bool chat);
/// More tokens than the context has are asked for.
MaybeError check_more_than_context(const Parameters& read, Tokens max_model_len);
/// Values out of their ranges.
MaybeError check_sampling(const CompletionRequest& request, const Parameters& read);
/// `max_tokens` is what the context leaves for a prompt.
MaybeError check_token_limits(const CompletionRequest& request, Tokens max_tokens);

}  // namespace memprof::vllm_api
