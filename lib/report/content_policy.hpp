#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memprof::report {

/// A Content-Security-Policy that allows nothing but the inline styles and scripts given, each by
/// its SHA-256: no address, no image, no other script.
std::string content_policy(const std::vector<std::string_view>& styles,
                           const std::vector<std::string_view>& scripts);

}  // namespace memprof::report
