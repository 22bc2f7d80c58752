#pragma once

#include "cli/run_tool.hpp"
#include "records/target.hpp"
#include "workload/calibrate.hpp"

#include <string>

/// Asks the /tokenize of the vLLM server at `base_url`. Fails (usage) on a URL that cannot be used;
/// the tokenizer's Errors (environment) name the URL and say what to do.
memprof::Result<memprof::workload::Tokenizer> server_tokenizer(const std::string& base_url,
                                                               const memprof::TargetSpec& target,
                                                               memprof::cli::Tool& tool);
