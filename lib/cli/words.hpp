#pragma once

#include <string_view>

namespace memprof::cli {

/// Writes to stderr, as it is. That it cannot be written to (a log on a full disk) is no reason to
/// stop: nothing is reported.
void say(std::string_view text);

}  // namespace memprof::cli
