#pragma once

#include "records/units.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace memprof::vllm_api {

/// Of the vLLM whose API this is.
inline constexpr std::string_view kVllmVersion = "0.32.0";

/// /v1/models. `root` is the model's path or repository, `created` Unix seconds, `permission_id` 16
/// hexadecimal digits.
std::string models_document(std::string_view model, std::string_view root, Tokens max_model_len,
                            std::int64_t created, std::string_view permission_id);

/// /version. The key `simulator` is what a real vLLM does not have.
std::string version_document();

}  // namespace memprof::vllm_api
