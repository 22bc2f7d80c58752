#pragma once

#include "report/thinning.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The charts of several runs, drawn without a script. A run is the same colour, dash and marker in
/// all of them; `run` counts from 0, to kMostCompared - 1.
namespace memprof::report {

inline constexpr std::size_t kMostCompared = 10;

/// A, B, ...
std::string run_letter(std::size_t run);
/// A piece of the run's line with its marker, to stand in text.
std::string run_key(std::size_t run);

/// What a run did at one concurrency level.
struct LevelFigure {
  bool is_asked = false;        ///< false: the run had no such level, and nothing is drawn
  std::optional<double> value;  ///< none: not measured
  std::vector<double> cells;    ///< the same of each cell of the grid that ran alone
};

struct LevelCurves {
  std::string title;
  std::string unit;  ///< `%`, or empty
  std::vector<std::int64_t> levels;
  std::vector<std::vector<LevelFigure>> runs;  ///< a figure per level each
};

/// A figure with heading and picture; words instead of the picture when no value is there.
std::string level_curves(const LevelCurves& curves);

/// Percent over seconds from 0, a run each, the same way.
std::string time_curves(const std::string& title, const std::vector<Series>& runs);

}  // namespace memprof::report
