#include "run.hpp"

#include "cli/progress.hpp"
#include "cli/stop_signal.hpp"
#include "files/row_file.hpp"
#include "formats/json.hpp"
#include "http/exposure.hpp"
#include "http/fetch.hpp"
#include "load/model_list.hpp"
#include "load/replay.hpp"
#include "workload/workload_reader.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>

#include <fcntl.h>
#include <unistd.h>

namespace memprof {
namespace {

namespace asio = boost::asio;

/// As a document it takes up to 25 times its bytes.
constexpr std::size_t kMostModelList = 1u << 20;

std::vector<load::PreparedRequest> read_workload(const std::string& path) {
  std::vector<load::PreparedRequest> workload;
  workload::read_workload(path, [&](WorkloadRequest&& request) {
    workload.push_back(load::prepare(std::move(request)));
  }).value();
  return workload;
}

/// Only for `default`: apart from that, the server is never asked before the load.
std::string resolve_model(const Options& options, const load::Replay::Settings& settings,
                          const cli::StopSignal& stop, cli::Tool& tool) {
  if (options.target.model != "default") return options.target.model;
  auto request = http::request_for(options.target, settings.url, settings.headers, "/models");
  request.stop_fd = stop.fd();
  request.max_body_bytes = kMostModelList;
  const auto answer = http::fetch(request);
  const auto* response = std::get_if<http::Response>(&answer);
  auto served =
      response && response->status == 200 ? load::parse_model_list(response->body) : std::nullopt;
  if (!served) return options.target.model;
  if (load::drop_secret_names(*served, http::Redaction(settings.headers)) > 0) {
    tool.warn("the server has a model whose name repeats what was sent as a secret: it is left out");
  }
  std::string model = load::choose_model(options.target.model, *served).value();
  if (model != options.target.model) tool.note(fmt::format("model: {}", model));
  return model;
}

std::string fresh_salt() {
  std::random_device random;
  return fmt::format("memprof-{:08x}{:08x}", random(), random());
}

/// Where progress goes: JSON lines to a descriptor, or words to stderr.
class Progress {
 public:
  Progress(const Options& options, std::int64_t total)
      : line_(options.quiet || options.progress_fd.has_value()),
        fd_(options.progress_fd ? static_cast<int>(*options.progress_fd) : -1),
        total_(total),
        begun_(clock::RunClock::since_boot()) {
    if (fd_ < 0) return;
    const int flags = ::fcntl(fd_, F_GETFL);
    if (flags < 0) throw ToolError(ExitCode::usage, "--progress-fd: not an open descriptor");
    // Whoever reads may be slow: a line that does not fit is dropped, the load is not held up.
    ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK);
    ::fcntl(fd_, F_SETFD, FD_CLOEXEC);
  }

  void show(const load::ReplayCounts& counts) {
    const cli::ReplayProgress progress{total_, counts.done, counts.failed, counts.in_flight,
                                       counts.concurrency};
    if (fd_ < 0) {
      const auto elapsed = clock::RunClock::since_boot() - begun_;
      return line_.update(
          cli::describe_progress(progress, std::chrono::duration<double>(elapsed).count()));
    }
    const auto json = boost::json::serialize(formats::to_json(progress)) + "\n";
    if (json == last_) return;
    last_ = json;
    [[maybe_unused]] const auto written = ::write(fd_, json.data(), json.size());
  }

 private:
  cli::ProgressLine line_;
  int fd_;
  std::int64_t total_;
  clock::SinceBoot begun_;
  std::string last_;
};

/// Cancels the replay when a signal comes.
class StopWatch {
 public:
  StopWatch(asio::io_context& io, cli::StopSignal& stop, load::Replay& replay)
      : stop_(stop), descriptor_(io, stop.fd()) {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this, &replay](auto error) {
      if (!error) replay.cancel(fmt::format("ended by signal {}", stop_.number()));
    });
  }
  ~StopWatch() { descriptor_.release(); }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  cli::StopSignal& stop_;
  asio::posix::stream_descriptor descriptor_;
};

load::Replay::Settings prepare_settings(const Options& options) {
  load::Replay::Settings settings;
  settings.target = options.target;
  settings.replay = options.replay;
  settings.url = http::parse_url(options.target.base_url).value();
  load::check_extra_body(options.replay).value();
  settings.headers = http::read_headers(options.target).value();
  settings.salt = fresh_salt();
  return settings;
}

}  // namespace

int run(const Options& options, cli::Tool& tool) {
  auto settings = prepare_settings(options);
  for (const auto& warning :
       http::exposures(settings.url, settings.headers, options.target.insecure)) {
    tool.warn(warning);
  }
  auto workload = read_workload(options.workload);
  std::int64_t concurrency = 0;
  for (const auto& request : workload) {
    concurrency = std::max(concurrency, request.row.concurrency_group);
  }
  concurrency = std::min(concurrency, static_cast<std::int64_t>(workload.size()));
  load::ensure_descriptors(concurrency);
  files::CsvFile<RequestTraceRow> trace(options.output, options.links());
  cli::StopSignal stop;  // from here on a signal gives every request its row
  if (workload.empty()) tool.warn("the workload is empty: nothing to send");

  const auto total = static_cast<std::int64_t>(workload.size());
  if (total > 0) settings.model = resolve_model(options, settings, stop, tool);
  const std::string model = settings.model;
  Progress progress(options, total);
  asio::io_context io(1);
  load::Replay replay(
      io, tool.clock(), std::move(settings), workload,
      [&](const RequestTraceRow& row) { trace.write(row); },
      [&](const load::ReplayCounts& counts) { progress.show(counts); });
  {
    // A signal that came while the server was asked is seen at once.
    const StopWatch watch(io, stop, replay);
    replay.run();
  }
  RunnerAccount account = replay.account();
  progress.show({account.ok + account.failed, account.failed, 0, 0});
  account.process = tool.account(trace.rows());
  account.model = model;
  account.requests = total;
  tool.write_account(account);
  if (stop.number() != 0) return 128 + stop.number();
  return account.failed == 0 ? 0 : 1;
}

}  // namespace memprof
