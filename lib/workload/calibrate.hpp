#pragma once

#include "records/error.hpp"
#include "records/workload.hpp"
#include "workload/prompts.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace memprof::workload {

/// How a text is tokenized: by itself, or as the prompt of a request, with whatever the server adds
/// (chat template, begin-of-text token).
enum class TextUse { alone, as_prompt };

/// The tokens that a server makes of a text.
using Tokenizer = std::function<Result<std::vector<std::int64_t>>(std::string_view text, TextUse)>;

/// One prompt that was made as fitted and counted by the server.
struct FitCheck {
  Tokens input_len = 0;
  PrefixMode prefix_mode = PrefixMode::low;
  Tokens counted = 0;
};

struct Calibration {
  TextFit fit;
  Tokens overhead = 0;  ///< of every prompt: what the server adds, and the first word
  double tokens_per_word = 1;
  std::vector<FitCheck> checks;  ///< one per input length and prefix mode

  /// The largest |counted / input_len − 1|.
  [[nodiscard]] double deviation() const;
};

/// Fits text prompts to a tokenizer: learns what each word costs, and what comes on top; makes one
/// prompt per input length and prefix mode and has it counted. Exact where words add up, which they
/// do in all vocabularies that never join two words; else corrected by the count, to the exact
/// length or the nearest below. An Error (usage) when a length has no room for one word; an Error
/// of the tokenizer is passed on.
Result<Calibration> calibrate(const WorkloadSpec& spec, const Tokenizer& tokenize);

}  // namespace memprof::workload
