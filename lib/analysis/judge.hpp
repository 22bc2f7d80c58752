#pragma once

#include "analysis/run_traces.hpp"
#include "analysis/server_signs.hpp"
#include "analysis/verdict_codes.hpp"
#include "records/manifest.hpp"
#include "records/summary.hpp"

#include <optional>
#include <string>
#include <vector>

namespace memprof::analysis {

/// Whether a run's figures can be trusted, and what a reader of them must know. `findings` is the
/// run's summary but for its verdict. Codes: kVerdictCodes, docs/formats.md.
Verdict judge(const RunTraces& traces, const Manifest& manifest, const Summary& findings,
              const ServerSigns& signs);

/// More missed ticks than this are said.
inline constexpr double kMostMissedShare = 0.01;

/// What a verdict is found from.
struct Evidence {
  const RunTraces& traces;
  const Manifest& manifest;
  const Summary& findings;
  const ServerSigns& signs;
};

/// The reasons found so far.
class Reasons {
 public:
  /// `text`: what was found, with figures; `value`: the figure that decided; `advice`: what to do.
  void add(VerdictCode code, std::string text, std::optional<double> value, std::string advice);
  /// Worst first, then in the order of kVerdictCodes.
  std::vector<Reason> sorted() &&;

 private:
  std::vector<Reason> reasons_;
};

// The parts of judge(): the run as a whole, the client, the requests, the device memory,
// the server's metrics.
void judge_run(const Evidence& evidence, Reasons& reasons);
void judge_load(const Evidence& evidence, Reasons& reasons);
void judge_requests(const Evidence& evidence, Reasons& reasons);
void judge_gpu(const Evidence& evidence, Reasons& reasons);
void judge_server(const Evidence& evidence, Reasons& reasons);

}  // namespace memprof::analysis
