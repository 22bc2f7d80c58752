#pragma once

#include "records/summary.hpp"

#include <string>
#include <vector>

namespace memprof::analysis {

/// A line of the ending, to be wrapped: what it is about, and the words.
struct EndingLine {
  std::string label;
  std::string text;
};

/// Whether the load fits, what happens first when it does not and what to do next.
EndingLine describe_fit(const Summary& summary);
/// How full the KV cache was, and where each GPU's memory went; nothing of what is not known.
std::vector<EndingLine> describe_memory(const Summary& summary);

}  // namespace memprof::analysis
