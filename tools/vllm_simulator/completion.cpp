#include "completion.hpp"

#include "sampling.hpp"

#include <algorithm>
#include <utility>

namespace memprof::simulator_tool {

/// One choice.
class Completion::Sink final : public TokenSink {
 public:
  Sink(Completion& completion, std::int64_t index, Sampling sampling)
      : completion_(completion), index_(index), sampling_(sampling) {}

  simulator::Sampled next_token() override {
    const auto& request = completion_.request_;
    const bool may_stop = !request.ignore_eos && tokens_ + 1 > request.min_tokens;
    ++tokens_;
    return sampling_.next(may_stop ? completion_.world_.stop_rate : 0);
  }
  void take(const simulator::Output& output) override { completion_.take(*this, output); }

  [[nodiscard]] std::int64_t index() const { return index_; }
  [[nodiscard]] Tokens tokens() const { return tokens_; }

  std::optional<simulator::RequestId> id;  ///< while it is in the engine
  Seconds last_token = 0;

 private:
  Completion& completion_;
  std::int64_t index_;
  Sampling sampling_;
  Tokens tokens_ = 0;
};

Completion::Completion(World& world, vllm_api::CompletionRequest request,
                       vllm_api::AnswerIdentity identity, std::shared_ptr<http::Reply> reply,
                       std::uint64_t number)
    : world_(world),
      request_(std::move(request)),
      identity_(std::move(identity)),
      reply_(std::move(reply)),
      open_(request_.choices()) {
  if (request_.stream) {
    writer_.emplace(request_, identity_);
  } else {
    choices_.resize(static_cast<std::size_t>(open_));
  }
  const bool greedy = request_.temperature == 0;
  for (std::int64_t i = 0; i < open_; ++i) {
    const auto draw = request_.seed ? static_cast<std::uint64_t>(*request_.seed) : number;
    const auto stream = greedy ? 0 : draw * 64 + static_cast<std::uint64_t>(i % request_.n) + 1;
    const auto& prompt = request_.prompts[static_cast<std::size_t>(i / request_.n)];
    sinks_.push_back(std::make_unique<Sink>(*this, i, Sampling(prompt.ids, stream)));
  }
}

Completion::~Completion() { close(); }

void Completion::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  reply_->on_gone([this] { client_is_gone(); });
  if (writer_) {
    reply_->start_stream(200, "text/event-stream; charset=utf-8");
    piece_.clear();
    writer_->begin(piece_);
    if (!piece_.empty()) reply_->write(piece_);
  }
  for (auto& sink : sinks_) {
    const auto& prompt = request_.prompts[static_cast<std::size_t>(sink->index() / request_.n)];
    sink->id = world_.engine.add({prompt.ids, prompt.max_tokens, request_.cache_salt}, *sink);
  }
}

void Completion::take(Sink& sink, const simulator::Output& output) {
  observe(sink, output.record);
  std::optional<vllm_api::FinishReason> finish;
  if (output.finished) {
    finish = output.record.stopped ? vllm_api::FinishReason::stop : vllm_api::FinishReason::length;
    note_end(sink, output.record);
  }
  if (writer_) {
    piece_.clear();
    writer_->append_tokens(piece_, sink.index(), std::span(&output.token, 1), finish);
    reply_->write(piece_);
  } else {
    auto& choice = choices_[static_cast<std::size_t>(sink.index())];
    choice.tokens.push_back(output.token);
    if (finish) choice.finish = *finish;
  }
  if (open_ == 0 && !ended_) end();
}

void Completion::observe(Sink& sink, const simulator::FinishedRequest& record) {
  auto& metrics = world_.metrics;
  ++world_.step_tokens;
  if (record.generation_tokens == 1) {
    world_.step_tokens += record.prompt_tokens - record.cached_tokens;
    metrics.observe_first_token(record.first_token - record.arrived);
    note_cached(sink, record);
  } else {
    metrics.observe_inter_token(record.last_token - sink.last_token);
  }
  sink.last_token = record.last_token;
}

void Completion::note_cached(const Sink& sink, const simulator::FinishedRequest& record) {
  const bool last = sink.index() + 1 == request_.choices();
  if (writer_ ? cached_.has_value() : !last) return;
  const auto full = record.prompt_tokens / world_.block_size * world_.block_size;
  cached_ = {record.cached_tokens, std::max<Tokens>(0, full - record.cached_tokens)};
}

void Completion::note_end(Sink& sink, const simulator::FinishedRequest& record) {
  sink.id.reset();
  --open_;
  world_.metrics.observe_finished(record);
  const auto first = sink.index() / request_.n * request_.n;
  Tokens most = 0;
  for (auto i = first; i < first + request_.n; ++i) {
    const auto& answer = *sinks_[static_cast<std::size_t>(i)];
    if (answer.id) return;
    most = std::max(most, answer.tokens());
  }
  world_.metrics.observe_answered(request_.n, most);
}

void Completion::end() {
  ended_ = true;
  if (writer_) {
    piece_.clear();
    writer_->end(piece_, cached_.value_or(vllm_api::CachedTokens{}));
    reply_->write(piece_);
    reply_->end();
  } else {
    reply_->send(200, "application/json",
                 vllm_api::answer_body(request_, identity_, choices_,
                                       cached_.value_or(vllm_api::CachedTokens{})));
  }
  on_end_();
}

void Completion::fail() {
  if (ended_) return;
  ended_ = true;
  close();
  if (writer_) {
    piece_.clear();
    writer_->fail(piece_);
    reply_->write(piece_);
    reply_->end();
  } else {
    const auto error = vllm_api::engine_died();
    reply_->send(error.status, "application/json", error.body);
  }
}

void Completion::client_is_gone() {
  if (ended_) return;
  ended_ = true;
  close();
  on_end_();
}

void Completion::close() {
  for (auto& sink : sinks_) {
    if (!sink->id) continue;
    world_.engine.abort(*sink->id);
    ++world_.aborted;
    sink->id.reset();
  }
}

}  // namespace memprof::simulator_tool
