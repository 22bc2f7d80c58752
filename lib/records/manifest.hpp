#pragma once

#include "records/account.hpp"
#include "records/gpu.hpp"
#include "records/units.hpp"
#include "records/workload.hpp"

#include <boost/describe.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace memprof {

/// Of manifest.json and summary.json; grows when a key changes its meaning, not when one is added.
inline constexpr std::int64_t kSchemaVersion = 1;

/// The run as it was asked for; as typed. The original scripts' keys.
struct ManifestConfig {
  std::string base_url;
  std::string model;  ///< as typed; what `default` became is server.model
  std::vector<std::int64_t> input_lens;
  std::vector<std::int64_t> output_lens;
  std::vector<std::int64_t> concurrencies;
  std::vector<PrefixMode> prefix_modes;
  std::optional<std::int64_t> n_per_condition;  ///< none: `auto`
  std::int64_t gpu_sample_interval_ms = 0;
  std::optional<std::vector<std::int64_t>> gpu_indices;  ///< none: all
};
BOOST_DESCRIBE_STRUCT(ManifestConfig, (),
                      (base_url, model, input_lens, output_lens, concurrencies, prefix_modes,
                       n_per_condition, gpu_sample_interval_ms, gpu_indices))

struct ManifestResults {
  std::int64_t total_requests = 0;  ///< rows of the request trace
  std::int64_t ok_requests = 0;
  std::int64_t gpu_samples = 0;       ///< rows of the GPU trace
  std::optional<Seconds> duration_s;  ///< from the first child's start to the last row
};
BOOST_DESCRIBE_STRUCT(ManifestResults, (), (total_requests, ok_requests, gpu_samples, duration_s))

/// File names, relative to the run's folder; none: there is no such file.
struct ManifestFiles {
  std::string workload = "workload.jsonl";
  std::string request_trace = "request_trace.csv";
  std::string gpu_mem_trace = "gpu_mem_trace.csv";
  std::string summary = "summary.json";
  std::optional<std::string> server_metrics_trace;
  std::optional<std::string> report;
};
BOOST_DESCRIBE_STRUCT(ManifestFiles, (),
                      (workload, request_trace, gpu_mem_trace, summary, server_metrics_trace,
                       report))

/// The machine that the tools ran on.
struct HostInfo {
  std::optional<std::string> hostname;
  std::optional<std::string> os;
  std::optional<std::string> kernel;
  std::optional<std::string> cpu_model;
  std::optional<std::int64_t> cpu_count;
  std::optional<MiB> memory_mib;
};
BOOST_DESCRIBE_STRUCT(HostInfo, (), (hostname, os, kernel, cpu_model, cpu_count, memory_mib))

/// The server that was measured, as far as it told.
struct ServerInfo {
  std::optional<std::string> version;
  std::optional<std::string> simulator;   ///< `memprof 0.1.0`: no real server; none: it is real
  std::optional<double> simulator_speed;  ///< simulated seconds in a second
  std::optional<std::int64_t> kv_bytes_per_token;  ///< on one GPU; only a simulator tells it
  std::optional<std::string> model;  ///< as sent with every request
  std::optional<Tokens> max_model_len;
  std::optional<bool> is_vllm;       ///< none: nothing said what it is
  std::optional<bool> is_local;      ///< the base URL is an address of this host
  std::vector<std::int64_t> pids;    ///< of its processes, those with GPU memory among them
  bool insecure_tls = false;         ///< https, certificate and host name not checked
  bool key_over_http = false;        ///< a secret went to another host without TLS
  std::optional<boost::json::value> cache_config;
};
BOOST_DESCRIBE_STRUCT(ServerInfo, (),
                      (version, simulator, simulator_speed, kv_bytes_per_token, model, max_model_len,
                       is_vllm, is_local, pids, insecure_tls, key_over_http, cache_config))

/// What gpu_mem_sampler said of itself at its end.
struct GpuSamplerRecord {
  std::string backend;
  TickAccount ticks;
  Milliseconds wall_clock_shift_ms = 0;
  std::vector<std::int64_t> lost_gpus;
  std::vector<GpuProcess> processes;
};
BOOST_DESCRIBE_STRUCT(GpuSamplerRecord, (),
                      (backend, ticks, wall_clock_shift_ms, lost_gpus, processes))

/// What server_metrics_sampler said of itself at its end.
struct ServerSamplerRecord {
  std::string url;
  bool filtered = false;  ///< the server sent only the series asked for
  TickAccount ticks;
  Milliseconds wall_clock_shift_ms = 0;
  std::int64_t restarts = 0;
  std::map<std::string, std::int64_t> failed_scrapes;  ///< by reason
};
BOOST_DESCRIBE_STRUCT(ServerSamplerRecord, (),
                      (url, filtered, ticks, wall_clock_shift_ms, restarts, failed_scrapes))

/// Null for a sampler that did not run, or left no account.
struct ManifestSamplers {
  std::optional<GpuSamplerRecord> gpu_mem_sampler;
  std::optional<ServerSamplerRecord> server_metrics_sampler;
};
BOOST_DESCRIBE_STRUCT(ManifestSamplers, (), (gpu_mem_sampler, server_metrics_sampler))

/// The memory lines of a vLLM server's start-up log (formats/startup_log.hpp). Of what each worker
/// or engine writes for itself, an entry per line, in the log's order.
struct StartupMemory {
  std::vector<Tokens> kv_cache_tokens;            ///< an engine's capacity
  std::vector<double> available_kv_gib;           ///< left for the KV cache, of each GPU
  std::vector<double> weights_gib;                ///< "Model loading took"
  std::vector<double> graph_capture_gib;          ///< may be negative, as vLLM writes it
  std::optional<std::int64_t> num_gpu_blocks_override;  ///< then the pool is not available_kv_gib
  std::optional<double> max_concurrency;          ///< requests of max_model_len that fit at once
  std::optional<double> gpu_memory_utilization;   ///< 0–1
  std::optional<double> requested_gib;            ///< total × utilization
};
BOOST_DESCRIBE_STRUCT(StartupMemory, (),
                      (kv_cache_tokens, available_kv_gib, weights_gib, graph_capture_gib,
                       num_gpu_blocks_override, max_concurrency, gpu_memory_utilization,
                       requested_gib))

/// A process that the run started.
struct ChildRecord {
  std::string name;  ///< the tool's
  std::vector<std::string> argv;
  std::optional<std::int64_t> pid;  ///< none: could not be started
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;  ///< that ended it
  std::optional<std::int64_t> rows;    ///< by its account; none: it left none
  std::optional<Timestamp> started_ts;
  std::optional<Timestamp> ended_ts;
  bool ended_as_told = false;  ///< by itself with its work done, or when it was told to end
};
BOOST_DESCRIBE_STRUCT(ChildRecord, (),
                      (name, argv, pid, exit_code, signal, rows, started_ts, ended_ts,
                       ended_as_told))

/// The phases of a run; none: not reached.
struct Timeline {
  std::optional<Timestamp> baseline_start;  ///< device memory without our load, from here
  std::optional<Timestamp> load_start;      ///< request_runner started
  std::optional<Timestamp> load_end;        ///< request_runner ended
  std::optional<Timestamp> tail_end;        ///< samplers were told to end
};
BOOST_DESCRIBE_STRUCT(Timeline, (), (baseline_start, load_start, load_end, tail_end))

/// Requests announced before the load as longer than the server's max_model_len.
struct TooLongForContext {
  Tokens input_len = 0;
  Tokens output_len = 0;
  std::int64_t n_requests = 0;
};
BOOST_DESCRIBE_STRUCT(TooLongForContext, (), (input_len, output_len, n_requests))

struct FileCheck {
  std::int64_t bytes = 0;
  std::optional<std::string> sha256;  ///< lower-case hex; none: over 256 MiB and interrupted
};
BOOST_DESCRIBE_STRUCT(FileCheck, (), (bytes, sha256))

/// manifest.json: how a run was obtained, enough to repeat it, and all its summary needs beside
/// the traces. No secret in it. The first five keys are the original scripts'.
struct Manifest {
  std::string run_id;
  Timestamp timestamp{};  ///< the run's start
  ManifestConfig config;
  ManifestResults results;
  ManifestFiles files;
  std::int64_t schema_version = kSchemaVersion;
  bool simulated = false;
  bool interrupted = false;  ///< also in the manifest written first: a killed run says so itself
  std::optional<std::string> tag;  ///< as given
  boost::json::object options;     ///< every effective option
  HostInfo host;
  std::vector<GpuInfo> gpus;
  ServerInfo server;
  ManifestSamplers samplers;
  std::vector<ChildRecord> children;
  Timeline timeline;
  std::optional<Milliseconds> wall_clock_shift_ms;  ///< over the run, by the orchestrator
  std::optional<Seconds> suspended_s;  ///< time in which the machine was suspended, in the run
  std::vector<TooLongForContext> too_long_for_context;
  std::map<std::string, FileCheck> file_checks;  ///< every file of the run but the manifest
  std::optional<StartupMemory> startup_memory;   ///< of --server-log; none: not given
};
BOOST_DESCRIBE_STRUCT(Manifest, (),
                      (run_id, timestamp, config, results, files, schema_version, simulated,
                       interrupted, tag, options, host, gpus, server, samplers, children, timeline,
                       wall_clock_shift_ms, suspended_s, too_long_for_context, file_checks, startup_memory))

}  // namespace memprof
