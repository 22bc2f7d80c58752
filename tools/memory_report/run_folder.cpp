#include "run_folder.hpp"

#include "analysis/read_run.hpp"
#include "analysis/summarize.hpp"
#include "files/document.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>

using namespace memprof;
namespace fs = std::filesystem;

namespace {

/// One of them makes a run's folder; of a run that was killed early it may be the manifest alone.
constexpr std::array kSigns{"request_trace.csv", "gpu_mem_trace.csv", "server_metrics_trace.csv",
                            "manifest.json"};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void check_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw ToolError(ExitCode::environment,
                    fmt::format("{}: {}", folder.string(),
                                error ? error.message() : std::string("is not a folder")));
  }
  for (const auto* name : kSigns) {
    if (is_there(folder / name)) return;
  }
  throw ToolError(ExitCode::environment,
                  fmt::format("{}: not a run's folder: it has none of {}", folder.string(),
                              fmt::join(kSigns, ", ")));
}

std::string folder_name(const fs::path& folder) {
  std::error_code error;
  const auto whole = fs::weakly_canonical(folder, error);
  return (error ? folder : whole).filename().string();
}

Manifest read_manifest(const fs::path& folder, std::vector<std::string>& problems,
                       cli::Tool& tool) {
  Manifest none;
  none.run_id = folder_name(folder);
  const auto path = folder / "manifest.json";
  if (!is_there(path)) {
    tool.warn(path.string() + " is missing: how the run was made and on what is not known");
    return none;
  }
  auto manifest = files::read_json<Manifest>(path.string());
  if (manifest.has_error()) {
    problems.push_back(manifest.error().message);
    return none;
  }
  if (manifest->run_id.empty()) manifest->run_id = none.run_id;
  return std::move(*manifest);
}

}  // namespace

ReadRun read_run_folder(const std::string& dir, cli::Tool& tool) {
  const fs::path folder(dir);
  check_folder(folder);
  ReadRun run;
  run.traces = analysis::read_run(dir);
  run.manifest = read_manifest(folder, run.traces.problems, tool);
  run.summary = analysis::summarize(run.traces, run.manifest);
  return run;
}

void check_replaceable(const std::string& path) {
  if (!is_there(path)) return;
  const auto refuse = [&](const std::string& why) {
    throw ToolError(ExitCode::environment,
                    fmt::format("{}: {}; it is not replaced: give another folder with --output-dir",
                                path, why));
  };
  const auto text = files::read_document(path);
  if (text.has_error()) throw ToolError(text.error());
  boost::system::error_code error;
  const auto json = boost::json::parse(*text, error);
  if (error || !json.is_object()) refuse("not a summary of these tools (it is no JSON object)");
  if (!json.get_object().contains("schema_version")) {
    refuse("not a summary of these tools (it has no schema_version)");
  }
}
