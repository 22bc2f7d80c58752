#include "formats/startup_log.hpp"

#include "formats/number.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace memprof::formats {
namespace {

constexpr std::size_t kLongestLine = 4096;  // the lines wanted are short; a configuration is not

/// The number that follows `phrase`, blanks and an opening bracket between them allowed; thousands
/// are separated by commas.
std::optional<double> number_after(std::string_view line, std::string_view phrase) {
  const auto at = line.find(phrase);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + phrase.size());
  const auto begin = line.find_first_not_of(" (");
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  std::string digits;
  for (const char c : line) {
    if (c == ',' && digits.find('.') == std::string::npos) continue;
    if ((c < '0' || c > '9') && c != '.' && !(c == '-' && digits.empty())) break;
    digits += c;
  }
  while (digits.ends_with('.')) digits.pop_back();  // a sentence's end
  return parse_double(digits);
}

/// None, too, for a number that no count can have.
std::optional<std::int64_t> count_after(std::string_view line, std::string_view phrase) {
  const auto number = number_after(line, phrase);
  if (!number || std::abs(*number) > 9e15) return {};
  return static_cast<std::int64_t>(*number);
}

void keep(std::vector<double>& list, std::optional<double> value) {
  if (value) list.push_back(*value);
}

void keep(std::optional<double>& kept, std::optional<double> value) {
  if (value) kept = value;
}

/// Of `phrase` A … `second` B: B.
std::optional<double> number_after(std::string_view line, std::string_view phrase,
                                   std::string_view second) {
  const auto at = line.find(phrase);
  return at == std::string_view::npos ? std::nullopt : number_after(line.substr(at), second);
}

}  // namespace

void StartupLogReader::append(std::string_view piece) {
  line_ += piece.substr(0, kLongestLine - std::min(kLongestLine, line_.size()));
}

void StartupLogReader::feed(std::string_view bytes) {
  for (;;) {
    const auto end = bytes.find('\n');
    append(bytes.substr(0, end));
    if (end == std::string_view::npos) return;
    read_line();
    bytes.remove_prefix(end + 1);
  }
}

void StartupLogReader::read_line() {
  const std::string_view line = line_;
  const auto has = [&](std::string_view phrase) {
    return line.find(phrase) != std::string_view::npos;
  };
  // Said once, by the API server, when it starts.
  if (has("non-default args:") || has("vLLM API server version")) found_ = {};

  if (const auto tokens = count_after(line, "KV cache size:"); tokens && has(" tokens")) {
    found_.kv_cache_tokens.push_back(*tokens);
  }
  keep(found_.max_concurrency, number_after(line, "Maximum concurrency for", "per request:"));
  if (const auto blocks = count_after(line, "num_gpu_blocks_override=")) {
    if (has("Overriding num_gpu_blocks")) found_.num_gpu_blocks_override = blocks;
  }
  keep(found_.available_kv_gib, number_after(line, "Available KV cache memory:"));
  keep(found_.available_kv_gib, number_after(line, "memory reserved for KV Cache is"));
  if (has("for KV Cache as specified")) {
    keep(found_.available_kv_gib, number_after(line, ", reserved"));
  }
  keep(found_.weights_gib, number_after(line, "Model loading took"));
  keep(found_.weights_gib, number_after(line, "Loading model weights took"));
  keep(found_.graph_capture_gib, number_after(line, "Graph capturing finished in", "took"));
  keep(found_.gpu_memory_utilization, number_after(line, "gpu_memory_utilization ("));
  keep(found_.requested_gib, number_after(line, "gpu_memory_utilization (", "="));
  const std::string_view desired = "Desired GPU memory utilization is";
  keep(found_.gpu_memory_utilization, number_after(line, desired));
  keep(found_.requested_gib, number_after(line, desired, ", "));
  line_.clear();
}

const StartupMemory& StartupLogReader::finish() {
  read_line();
  return found_;
}

bool is_empty(const StartupMemory& memory) {
  return memory.kv_cache_tokens.empty() && memory.available_kv_gib.empty() &&
         memory.weights_gib.empty() && memory.graph_capture_gib.empty() &&
         !memory.num_gpu_blocks_override && !memory.max_concurrency &&
         !memory.gpu_memory_utilization && !memory.requested_gib;
}

}  // namespace memprof::formats
