#pragma once

#include <string_view>

/// The files that the page embeds, as they were when the tool was built.
namespace memprof::report::assets {

std::string_view page_style();
std::string_view comparison_style();
std::string_view page_script();
std::string_view dygraphs_style();
std::string_view dygraphs_script();
std::string_view dygraphs_licence();

}  // namespace memprof::report::assets
