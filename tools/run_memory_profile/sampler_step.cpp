#include "sampler_step.hpp"

#include <algorithm>

namespace memprof::profile {

SamplerStep::SamplerStep(RunContext& run, const std::string& tool,
                         std::vector<std::string> arguments, std::string readings)
    : run_(run),
      child_(tool, std::move(arguments), run.folder, run.tool.clock()),
      readings_(std::move(readings)) {}

bool SamplerStep::has_news() {
  return !said_ && !nothing_to_read_ && !sampling() && !child_.was_told();
}

void SamplerStep::tell_news() {
  if (!has_news()) return;
  said_ = true;
  if (child_.ended_with({3})) run_.fail(child_.as_error());  // disk full, for one
  run_.tool.warn(child_.last_words() + "; the run goes on without " + readings_);
}

void SamplerStep::refuse() {
  said_ = true;
  run_.fail(child_.as_error());
}

void SamplerStep::finish() {
  tell_news();
  const bool died = !nothing_to_read_ && said_;
  child_.stop(run_.interrupted() ? kQuickEnd : kOrdinaryEnd);
  child_.set_ended_as_told(!died && child_.ended_with({0, 130, 143}));
  take_account();
  run_.manifest.children.push_back(child_.record());
}

void sample_for(RunContext& run, const Samplers& samplers, Seconds seconds) {
  const auto end = from_now(seconds);
  std::vector<ToolChild*> children;
  for (auto* sampler : samplers) children.push_back(&sampler->child());
  const auto any_reads = [&] {
    return std::any_of(samplers.begin(), samplers.end(), [](auto* s) { return s->sampling(); });
  };
  while (any_reads() && clock::RunClock::since_boot() < end && !run.lost_folder() &&
         wait_for_any(children, {}, run.stop, std::min(end, from_now(kBetweenLooks)))) {
  }
  for (auto* sampler : samplers) sampler->tell_news();
}

}  // namespace memprof::profile
