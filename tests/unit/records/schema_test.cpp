// The columns and keys that people's notebooks know: they keep their names and order for ever.
#include "formats/csv.hpp"
#include "formats/described.hpp"
#include "records/gpu.hpp"
#include "records/request_trace.hpp"
#include "records/workload.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memprof {
namespace {

TEST(Schema, RequestTrace) {
  EXPECT_EQ(formats::csv_header<RequestTraceRow>(),
            "req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,prompt_tokens,"
            "completion_tokens,prefix_mode,rep,scheduled_ts,first_token_ts,cached_tokens,"
            "http_status,in_flight_at_start,error_detail\n");
}

TEST(Schema, GpuMemTrace) {
  EXPECT_EQ(formats::csv_header<GpuMemRow>(), "timestamp,gpu_idx,used_mib,total_mib,util_pct\n");
}

TEST(Schema, Workload) {
  std::vector<std::string> keys;
  formats::for_each_member<WorkloadRequest>(
      [&](std::string_view name, auto) { keys.emplace_back(name); });
  EXPECT_EQ(keys, (std::vector<std::string>{"req_id", "prompt", "input_len", "output_len",
                                            "concurrency_group", "extra", "prompt_token_ids"}));
}

TEST(Schema, DefaultsAreTheOriginals) {
  const WorkloadSpec spec;
  EXPECT_EQ(spec.input_lens, (std::vector<std::int64_t>{8192, 16384, 32768}));
  EXPECT_EQ(spec.output_lens, (std::vector<std::int64_t>{64, 128}));
  EXPECT_EQ(spec.concurrencies, (std::vector<std::int64_t>{8, 16, 32, 64}));
  EXPECT_EQ(spec.prefix_modes, (std::vector<PrefixMode>{PrefixMode::low, PrefixMode::high}));
  EXPECT_EQ(spec.n_per_condition, 1);
}

TEST(Schema, AbsentIsNotZero) {
  RequestTraceRow row;
  row.req_id = "a";
  row.status = "error:connect";
  std::string line;
  formats::append_csv_row(line, row);
  EXPECT_EQ(line, "a,0,0,0,,,error:connect,,,,,,,,,,\n");
  EXPECT_FALSE(row.ok());
}

}  // namespace
}  // namespace memprof
