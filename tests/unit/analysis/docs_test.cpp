#include "analysis/joined.hpp"
#include "analysis/verdict_codes.hpp"
#include "files/document.hpp"
#include "formats/described.hpp"
#include "records/account.hpp"
#include "records/gpu.hpp"
#include "records/manifest.hpp"
#include "records/request_trace.hpp"
#include "records/server_metrics.hpp"
#include "records/summary.hpp"
#include "records/workload.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace memprof::analysis {
namespace {

std::string formats_page() {
  return files::read_document(MEMPROF_TEST_DATA "/../../docs/formats.md").value();
}

/// The page from a heading to the next of its level.
std::string section(const std::string& page, const std::string& heading) {
  const auto begin = page.find("\n## " + heading);
  if (begin == std::string::npos) return {};
  return page.substr(begin, page.find("\n## ", begin + 1) - begin);
}

template <class T>
void expect_members(const std::string& text, std::string_view of) {
  formats::for_each_member<T>([&](std::string_view name, auto) {
    EXPECT_NE(text.find(fmt::format("`{}`", name)), std::string::npos)
        << "docs/formats.md: " << of << " does not explain `" << name << "`";
  });
}

TEST(Docs, EveryColumnIsExplained) {
  const auto page = formats_page();
  expect_members<RequestTraceRow>(section(page, "request_trace.csv"), "request_trace.csv");
  expect_members<GpuMemRow>(section(page, "gpu_mem_trace.csv"), "gpu_mem_trace.csv");
  expect_members<ServerMetricsRow>(section(page, "server_metrics_trace.csv"),
                                   "server_metrics_trace.csv");
  expect_members<JoinedRow>(section(page, "joined.csv"), "joined.csv");
  const auto workload = section(page, "workload.jsonl");
  formats::for_each_member<WorkloadRequest>([&](std::string_view name, auto) {
    if (name != "extra") {
      EXPECT_NE(workload.find(fmt::format("`{}`", name)), std::string::npos) << name;
    }
  });
  formats::for_each_member<WorkloadExtra>([&](std::string_view name, auto) {
    EXPECT_NE(workload.find(fmt::format("`extra.{}`", name)), std::string::npos) << name;
  });
}

TEST(Docs, EveryKeyOfTheSummaryIsExplained) {
  const auto text = section(formats_page(), "summary.json");
  expect_members<Summary>(text, "summary.json");
  expect_members<GpuSummary>(text, "summary.json gpus");
  expect_members<GpuWindow>(text, "summary.json gpus of a level");
  expect_members<LevelSummary>(text, "summary.json by_concurrency");
  expect_members<ConditionSummary>(text, "summary.json conditions");
  expect_members<LoadSummary>(text, "summary.json load");
  expect_members<KvWindow>(text, "summary.json kv");
  expect_members<KvDemand>(text, "summary.json kv_demand");
  expect_members<ServerMetricsSummary>(text, "summary.json server_metrics");
  expect_members<MemoryBreakdown>(text, "summary.json memory_breakdown");
  expect_members<GpuBreakdown>(text, "summary.json memory_breakdown gpus");
  expect_members<MemoryPart>(text, "summary.json memory_breakdown gpus");
  expect_members<Symptom>(text, "summary.json symptoms");
  expect_members<RequestError>(text, "summary.json errors");
  expect_members<ErrorKind>(text, "summary.json error_kinds");
  expect_members<Verdict>(text, "summary.json verdict");
  expect_members<Reason>(section(formats_page(), "The verdict"), "verdict reasons");
}

TEST(Docs, EveryKeyOfTheManifestIsExplained) {
  const auto text = section(formats_page(), "manifest.json");
  expect_members<Manifest>(text, "manifest.json");
  expect_members<ManifestConfig>(text, "manifest.json config");
  expect_members<ManifestResults>(text, "manifest.json results");
  expect_members<ManifestFiles>(text, "manifest.json files");
  expect_members<HostInfo>(text, "manifest.json host");
  expect_members<GpuInfo>(text, "manifest.json gpus");
  expect_members<ServerInfo>(text, "manifest.json server");
  expect_members<ManifestSamplers>(text, "manifest.json samplers");
  expect_members<GpuSamplerRecord>(text, "manifest.json samplers");
  expect_members<ServerSamplerRecord>(text, "manifest.json samplers");
  expect_members<StartupMemory>(text, "manifest.json startup_memory");
  expect_members<GpuProcess>(text, "manifest.json samplers processes");
  expect_members<ChildRecord>(text, "manifest.json children");
  expect_members<Timeline>(text, "manifest.json timeline");
  expect_members<TooLongForContext>(text, "manifest.json too_long_for_context");
  expect_members<FileCheck>(text, "manifest.json file_checks");
}

TEST(Docs, EveryKeyOfTheAccountsIsExplained) {
  const auto text = section(formats_page(), "Accounts");
  expect_members<ProcessAccount>(text, "process");
  expect_members<TickAccount>(text, "ticks");
  expect_members<GpuSamplerAccount>(text, "gpu_mem_sampler");
  expect_members<WorkloadAccount>(text, "workload_gen");
  expect_members<RunnerAccount>(text, "request_runner");
}

TEST(Docs, EveryVerdictCodeIsInTheTableUnderItsSeverity) {
  const auto text = section(formats_page(), "The verdict");
  for (const auto& code : kVerdictCodes) {
    const auto row = fmt::format("| `{}` | {} |", code.name, formats::enum_name(code.severity));
    EXPECT_NE(text.find(row), std::string::npos) << "docs/formats.md lacks " << row;
  }
}

}  // namespace
}  // namespace memprof::analysis
