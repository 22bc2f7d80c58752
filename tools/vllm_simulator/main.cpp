#include "front.hpp"

#include "cli/run_tool.hpp"
#include "cli/stop_signal.hpp"
#include "files/document.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <csignal>

#include <unistd.h>

namespace memprof::simulator_tool {
namespace {

namespace asio = boost::asio;

std::optional<std::string> read_key(const Options& options) {
  if (!options.api_key_file) return {};
  auto key = files::read_document(*options.api_key_file, files::Source::any).value();
  key.resize(std::min(key.find_first_of("\r\n"), key.size()));
  if (key.empty()) {
    throw ToolError(ExitCode::usage,
                    fmt::format("--api-key-file: {}: the first line is empty",
                                *options.api_key_file));
  }
  return key;
}

SimulatorAccount make_account(const Front& front, const Setup& setup, const Options& options,
                              const cli::Tool& tool) {
  const auto& engine = front.engine();
  SimulatorAccount account;
  account.model = setup.model;
  account.speed = options.speed;
  account.requests = front.requests();
  account.aborted = front.aborted();
  account.steps = engine.steps();
  account.generation_tokens = engine.counters().generation_tokens;
  account.preemptions = engine.preemptions();
  account.evictions = engine.evictions();
  account.step_lateness_p50_ms = engine.lateness().percentile_ms(50);
  account.step_lateness_p99_ms = engine.lateness().percentile_ms(99);
  account.step_lateness_max_ms = engine.lateness().percentile_ms(100);
  account.slips = engine.slips();
  account.process = tool.account(0);
  return account;
}

/// Steps that come late: the simulated times are not those of --speed any more.
void warn_when_behind(const Front& front, const Options& options, cli::Tool& tool) {
  const auto& engine = front.engine();
  const auto late_ms = engine.lateness().percentile_ms(50);
  if (!late_ms) return;
  const auto step_ms = engine.busy_seconds() / static_cast<double>(engine.steps()) * 1e3;
  if (*late_ms > step_ms) {
    tool.warn(fmt::format("this machine did not keep up with --speed {}: half of the steps, which "
                          "take {:.1f} ms, were {:.1f} ms late or more; use a lower speed",
                          options.speed, step_ms, *late_ms));
  } else if (engine.slips() > 0) {
    tool.warn(fmt::format("this machine was held up {} times in {} steps, each time for more than a "
                          "second, by which all that followed was late",
                          engine.slips(), engine.steps()));
  }
}

/// Until a signal.
void serve(asio::io_context& io, const cli::StopSignal& stop, Front& front) {
  asio::posix::stream_descriptor signal(io, ::dup(stop.fd()));
  asio::steady_timer goodbye(io);
  signal.async_wait(asio::posix::stream_descriptor::wait_read, [&](const auto&) {
    front.shut_down();
    goodbye.expires_after(std::chrono::milliseconds(50));  // for the last bytes to leave
    goodbye.async_wait([&](const auto&) { io.stop(); });
  });
  io.run();
}

ExitCode run(const Options& options, cli::Tool& tool) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto setup = make_setup(options);
  auto key = read_key(options);
  const cli::StopSignal stop;
  asio::io_context io(1);
  Front front(io, options, setup, std::move(key), tool.clock());
  const http::Server server(
      io, options.host, static_cast<std::uint16_t>(options.port),
      [&](http::ServerRequest&& request, std::shared_ptr<http::Reply> reply) {
        front.answer(std::move(request), std::move(reply));
      });
  const bool is_v6 = options.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + options.host + "]" : options.host;
  cli::detail::print_and_flush(fmt::format("http://{}:{}/v1\n", host, server.port()));
  serve(io, stop, front);
  warn_when_behind(front, options, tool);
  tool.write_account(make_account(front, setup, options, tool));
  return ExitCode::ok;
}

}  // namespace
}  // namespace memprof::simulator_tool

int main(int argc, char** argv) {
  using namespace memprof::simulator_tool;
  memprof::cli::run_tool<Options>(argc, argv, option_table, run);
}
