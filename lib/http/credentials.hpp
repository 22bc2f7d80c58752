#pragma once

#include "records/error.hpp"
#include "records/target.hpp"

#include <string>
#include <vector>

namespace memprof::http {

struct Header {
  std::string name;
  std::string value;  ///< may be a secret: never printed, never written to a file
};

/// Authorization (from --api-key-file, else OPENAI_API_KEY, else VLLM_API_KEY; none when there is
/// none) and the lines of --header-file, whose own Authorization wins over the key.
/// Fails (usage or environment) without repeating a value.
Result<std::vector<Header>> read_headers(const TargetSpec& target);

}  // namespace memprof::http
