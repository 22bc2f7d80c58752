#pragma once

#include <string>
#include <string_view>

namespace memprof::process {

/// The path of a tool beside this process's own executable. PATH is never searched: the tools of
/// one build belong together. Throws a ToolError (environment) when it is not there.
std::string sibling(std::string_view tool);

}  // namespace memprof::process
