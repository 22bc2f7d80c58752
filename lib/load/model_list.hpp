#pragma once

#include "http/redaction.hpp"
#include "records/error.hpp"
#include "records/units.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::load {

/// An entry of `GET /v1/models`.
struct ModelInfo {
  std::string id;
  std::optional<std::string> owned_by;    ///< `vllm` on vLLM
  std::optional<Tokens> max_model_len;    ///< prompt + completion; vLLM's extension
};

/// None when `body` is not a model list. An empty list is a list.
std::optional<std::vector<ModelInfo>> parse_model_list(std::string_view body);

/// A model's name goes into files and command lines: entries that repeat something secret there
/// are left out. How many those are.
std::size_t drop_secret_names(std::vector<ModelInfo>& models, const http::Redaction& redaction);

/// What to send for the model that was asked for: any name but `default` as typed; a listed
/// `default` wins, else the only model there is. Several: an Error (usage) that lists them. An
/// empty list: as typed, and the rows will tell.
Result<std::string> choose_model(const std::string& asked, const std::vector<ModelInfo>& served);

}  // namespace memprof::load
