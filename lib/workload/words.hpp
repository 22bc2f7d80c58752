#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace memprof::workload {

inline constexpr std::size_t kWordCount = 2048;

/// Common English words in a–z, at most 10 letters, 8.2 characters on average with a blank; each is
/// one token, with a blank before it, in the vocabularies that scripts/check_words.sh checks. The
/// list is one_token_words.txt; its order is part of what "same seed: same bytes" means.
extern const std::array<std::string_view, kWordCount> kWords;

}  // namespace memprof::workload
