#include "sampling.hpp"

#include "raw_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

using namespace memprof;
using clock::RunClock;
using clock::SinceBoot;

namespace {

/// Whole microseconds, as timestamps are.
Milliseconds milliseconds(SinceBoot duration) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(duration).count()) / 1e3;
}

/// vLLM's handler of `/metrics/` (with the slash) sends only the samples that `name[]` lists, for a
/// tenth of the cost of all. With several API servers it sends nothing at all.
std::string filter_target(const std::string& path) {
  std::string target = path + "/";
  char separator = '?';
  for (const auto& family : server_metrics::families()) {
    target += fmt::format("{}name[]={}", separator, family.name);
    separator = '&';
  }
  return target;
}

}  // namespace

Sampling::Sampling(const Options& options, cli::Tool& tool, cli::StopSignal& stop,
                   Scraper& scraper, files::CsvFile<ServerMetricsRow>& trace)
    : options_(options),
      tool_(tool),
      stop_(stop),
      trace_(trace),
      scraper_(scraper),
      url_(scraper.url()),
      reader_([this](std::string_view text) {
        return scraper_.redaction().apply(std::string(text));
      }),
      ticks_(RunClock::since_boot(), std::chrono::milliseconds(options.interval_ms)) {
  if (options.raw) raw_.emplace(*options.raw, options.links());
  if (options.duration) {
    scraper_.end_at(ticks_.next_due() +
                    std::chrono::nanoseconds(std::llround(*options.duration * 1e9)));
  }
}

ExitCode Sampling::run() {
  if (!begin()) return stop_.number() != 0 ? ExitCode::ok : ExitCode::failed;
  for (;;) {
    const auto due = ticks_.next_due();
    const auto end = scraper_.end();
    const bool last = end && due >= *end;
    if (!stop_.sleep_until(last ? *end : due) || last) break;
    tick();
  }
  last_scrape();
  return ExitCode::ok;
}

/// Ticks after the end are not due, however long the scrape before it took.
SinceBoot Sampling::within_run(SinceBoot time) const {
  return std::min(time, scraper_.end().value_or(time));
}

bool Sampling::begin() {
  const Answer answer = ask(scraper_.target());
  if (answer.failure) {
    ticks_.miss(within_run(answer.ended));
    ++failures_[answer.failure->reason];
    const std::string why = stop_.number() != 0 ? "ended before it had answered"
                                                : answer.failure->reason + ": " +
                                                      answer.failure->detail;
    tool_.warn(fmt::format("{}: {}; there are no rows", url_, why));
    return false;
  }
  const auto full = *scrape_;
  write_rows(answer);
  prove_filter(full);
  ticks_.take(answer.begun, within_run(RunClock::since_boot()));
  say_start();
  return true;
}

void Sampling::tick() {
  const auto begun = RunClock::since_boot();
  const Answer answer = ask_as_proven();
  if (answer.failure) {
    ticks_.miss(within_run(answer.ended));
    note_failure(answer);
    return;
  }
  const bool proof_lost = filter_.empty() && !proven_.empty();
  const auto full = proof_lost ? *scrape_ : server_metrics::Scrape{};
  write_rows(answer);
  if (proof_lost) prove_filter(full);
  ticks_.take(begun, within_run(RunClock::since_boot()));
}

void Sampling::last_scrape() {
  // vLLM counts a preemption late: totals are final only now that the load has ended.
  scraper_.end_at(RunClock::since_boot());
  const Answer answer = ask_as_proven();
  if (answer.failure) {
    note_failure(answer);
  } else {
    write_rows(answer);
  }
}

Answer Sampling::ask(const std::string& target) {
  Answer answer = scraper_.scrape(target, reader_);
  scrape_ = &reader_.finish();
  if (!answer.failure && scrape_->empty()) {
    answer.failure = http::Failure{
        "no_metrics", "none of a known server's series (vLLM with --disable-log-stats has none)"};
  }
  if (raw_) keep_raw(answer);
  return answer;
}

Answer Sampling::ask_as_proven() {
  if (filter_.empty()) return ask(scraper_.target());
  const auto begun = RunClock::since_boot();
  Answer answer = ask(filter_);
  const bool answered =
      answer.status != 0 && (!answer.failure || answer.failure->reason != "timeout");
  if (!answered || (!answer.failure && covers(*scrape_, proven_))) return answer;
  filter_.clear();
  answer = ask(scraper_.target());
  answer.begun = begun;
  return answer;
}

void Sampling::prove_filter(const server_metrics::Scrape& full) {
  proven_ = {};
  if (stop_.number() != 0) return;
  auto filter = filter_target(scraper_.target());
  const Answer answer = ask(filter);
  if (answer.failure || !continues(*scrape_, full)) return;
  filter_ = std::move(filter);
  proven_ = full;
}

void Sampling::write_rows(const Answer& answer) {
  trace_.write(history_.take(*scrape_, tool_.clock().at(answer.ended),
                             milliseconds(answer.ended - answer.sent)));
  if (history_.just_restarted() && said_.insert("restart").second) {
    tool_.warn(fmt::format("{}: the server has been restarted, or its counters were reset: "
                           "differences of counters across it mean nothing", url_));
  }
  if (scrape_->by_process && said_.insert("pid").second) {
    tool_.warn(fmt::format("{}: several API servers, each with series of its own: counters are "
                           "summed, of gauges the largest is taken", url_));
  }
}

void Sampling::note_failure(const Answer& answer) {
  const auto& failure = *answer.failure;
  ++failures_[failure.reason];
  if (!said_.insert(failure.reason).second) return;
  tool_.warn(fmt::format("{}: {}: {}; scrapes without an answer give no row", url_, failure.reason,
                         failure.detail));
}

void Sampling::keep_raw(const Answer& answer) {
  RawScrape raw;
  raw.timestamp = tool_.clock().at(answer.ended);
  raw.scrape_ms = milliseconds(answer.ended - answer.sent);
  raw.status = answer.status;
  raw.body = scraper_.redaction().apply(answer.body);
  if (answer.failure) raw.error = answer.failure->reason;
  raw_->write(to_raw_line(raw));
}

void Sampling::say_start() const {
  ServerMetricsAccount account;
  history_.fill(account);
  std::string engines;
  for (const auto& engine : account.engines) {
    engines += fmt::format("{}engine {}", engines.empty() ? "" : ", ", engine.engine);
    if (engine.kv_tokens_total) engines += fmt::format(" ({} KV tokens)", *engine.kv_tokens_total);
  }
  tool_.note(fmt::format("{}: {}, every {} ms, {} scrapes", url_, engines, options_.interval_ms,
                         filter_.empty() ? "full" : "filtered"));
}

void Sampling::fill(ServerMetricsAccount& account) const {
  history_.fill(account);
  account.ticks = ticks_.account();
  account.url = url_;
  account.filtered = !filter_.empty();
  account.failed_scrapes = failures_;
}
