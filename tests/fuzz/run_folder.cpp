#include "analysis/compare.hpp"
#include "analysis/ending.hpp"
#include "analysis/joined.hpp"
#include "analysis/read_run.hpp"
#include "analysis/summarize.hpp"
#include "analysis/trace_events.hpp"
#include "files/document.hpp"
#include "formats/csv.hpp"
#include "input.hpp"
#include "report/comparison_page.hpp"
#include "report/page.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

/// A run's folder as somebody else may hand it over: the input is its files, each behind a line
/// `=== NAME`.
namespace memprof::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 7> kFiles{
    "workload.jsonl", "request_trace.csv", "gpu_mem_trace.csv", "server_metrics_trace.csv",
    "manifest.json", "logs/request_runner.stats.json", "logs/server_metrics_sampler.stats.json"};
constexpr std::string_view kMark = "=== ";
constexpr std::size_t kMostPageBytes = 2'000'000;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("memprof_fuzz_" + std::to_string(::getpid()))) {
    fs::create_directories(path_ / "logs");
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void fill(std::string_view text) {
    for (const auto name : kFiles) fs::remove(path_ / name);
    while (text.starts_with(kMark)) {
      const auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      auto end = text.find("\n" + std::string(kMark));
      end = end == std::string_view::npos ? text.size() : end + 1;
      for (const auto name : kFiles) {
        if (line.substr(kMark.size()) != name) continue;
        std::ofstream(path_ / name, std::ios::binary) << text.substr(0, end);
      }
      text.remove_prefix(end);
    }
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}

/// Nothing in a terminal's words moves its cursor or changes its title.
void require_plain(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    require((byte >= 0x20 && byte != 0x7F) || c == '\n', "words have no control characters");
  }
}

/// How many script elements a page has whatever is in it.
std::size_t scripts_of_a_page() {
  static const auto kCount = count(report::render_page({}, {}, {}), "<script");
  return kCount;
}

void check_words(const analysis::RunTraces& traces, const Manifest& manifest,
                 const Summary& summary) {
  require_plain(analysis::describe_ending(summary, manifest, "run"));
  require_plain(analysis::compare({{manifest.run_id, summary, manifest},
                                   {"other", summary, Manifest{}}}));
  std::string rows = formats::csv_header<analysis::JoinedRow>();
  std::int64_t joined = 0;
  analysis::join(traces, [&](const analysis::JoinedRow& row) {
    formats::append_csv_row(rows, row);
    ++joined;
  });
  require(joined == summary.total_requests, "a joined row for every request");
}

void check_pages(const analysis::RunTraces& traces, const Manifest& manifest,
                 const Summary& summary) {
  const auto page = report::render_page(manifest, summary, traces);
  require(page.size() <= kMostPageBytes, "a page has at most 2 MB");
  require(count(page, "<script") == scripts_of_a_page(), "a page has no script of a run's");
  const auto usage = report::usage_since_load(traces, summary);
  const auto comparison = report::render_comparison(
      {{manifest.run_id, summary, manifest}, {"other", summary, Manifest{}}}, {usage, usage});
  require(comparison.size() <= kMostPageBytes, "a comparison has at most 2 MB");
  require(count(comparison, "<script") == 0, "a comparison has no script");
}

void require_json(std::string_view text, const char* what) {
  boost::system::error_code error;
  (void)boost::json::parse(text, error);
  require(!error, what);
}

void check(const std::string& dir) {
  const auto traces = analysis::read_run(dir);
  auto manifest = files::read_json<Manifest>(dir + "/manifest.json");
  const Manifest known = manifest.has_value() ? *manifest : Manifest{};
  const auto summary = analysis::summarize(traces, known);
  require(summary.total_requests == static_cast<std::int64_t>(traces.requests.size()),
          "every request is counted");
  require(summary.ok_requests + summary.error_requests == summary.total_requests,
          "a request is ok or failed");
  require_json(formats::pretty_json(formats::to_json(summary)), "a summary is JSON");
  check_words(traces, known, summary);
  check_pages(traces, known, summary);
  std::string events;
  analysis::write_trace_events(traces, known, [&](std::string_view piece) { events += piece; });
  require_json(events, "a trace is JSON");
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  static fuzz::Folder folder;
  folder.fill(fuzz::text_of(data, size));
  fuzz::check(folder.path());
  return 0;
}
