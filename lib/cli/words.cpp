#include "cli/words.hpp"

#include <cstdio>

namespace memprof::cli {

void say(std::string_view text) {
  [[maybe_unused]] const auto written = std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace memprof::cli
