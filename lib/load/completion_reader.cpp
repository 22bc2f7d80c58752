#include "load/completion_reader.hpp"

#include "formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace memprof::load {
namespace {

/// `"key"` followed by a colon and a value that is not null. Within a JSON text these bytes cannot
/// stand inside a string, where the quotes would be escaped. memmem, because string_view::find
/// stops at every quotation mark.
bool has_value(std::string_view json, std::string_view quoted_key) {
  for (;;) {
    const void* found = ::memmem(json.data(), json.size(), quoted_key.data(), quoted_key.size());
    if (found == nullptr) return false;
    json.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - json.data()) +
                       quoted_key.size());
    auto rest = json;
    const auto skip_blanks = [&] {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    };
    skip_blanks();
    if (!rest.starts_with(':')) continue;
    rest.remove_prefix(1);
    skip_blanks();
    if (!rest.empty() && !rest.starts_with("null")) return true;
  }
}

bool contains_ignoring_case(std::string_view text, std::string_view lower) {
  const auto found = std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                                 [](char a, char b) { return (a | 0x20) == b; });
  return found != text.end();
}

}  // namespace

CompletionReader::CompletionReader() : parser_(*this), events_(*this) {}

void CompletionReader::reset() {
  parser_.reset();
  answer_ = {};
  started_ = stream_ = finish_reason_ = reusable_ = ended_ = false;
  json_ok_ = true;
  done_ts_.reset();
  body_bytes_ = 0;
  error_body_.clear();
  stream_error_.clear();
  last_usage_.clear();
}

bool CompletionReader::feed(std::string_view bytes, Timestamp now) {
  started_ = true;
  now_ = now;
  const auto state = parser_.feed(bytes);
  if (ended_) return true;
  if (state == http::ResponseParser::State::reading) return false;
  if (state == http::ResponseParser::State::failed) {
    finish(false, parser_.failure());
    return true;
  }
  conclude();
  reusable_ = parser_.can_reuse();
  return true;
}

void CompletionReader::finish(bool orderly, const http::Failure& failure) {
  if (ended_) return;
  if (done() || refused()) return conclude();
  if (orderly && parser_.finish() == http::ResponseParser::State::complete) return conclude();
  // What a stream had said before it broke is the better reason.
  if (!stream_error_.empty()) return fail("stream_error", stream_error_);
  const auto& why = orderly ? parser_.failure() : failure;
  fail(why.reason, why.detail);
}

void CompletionReader::abandon(std::string_view reason, std::string_view detail) {
  if (done() || (refused() && reason == "timeout")) return conclude();
  if (reason == "timeout" && !stream_error_.empty()) return fail("stream_error", stream_error_);
  fail(reason, detail);
}

bool CompletionReader::refused() const {
  return answer_.http_status.has_value() && answer_.http_status != 200;
}

void CompletionReader::on_head(int status, std::string_view content_type) {
  answer_.http_status = status;
  stream_ = status == 200 && contains_ignoring_case(content_type, "text/event-stream");
  if (stream_) {
    events_.reset();
  } else if (status == 200) {
    json_.reset();
  }
  if (const auto words = compression(); status == 200 && !words.empty()) {
    fail("bad_response", "the body " + words);
  }
}

std::string CompletionReader::compression() const {
  const auto encoding = parser_.content_encoding();
  if (encoding.empty() || encoding == "identity") return {};
  return fmt::format("is compressed (content-encoding: {}), which was not asked for", encoding);
}

void CompletionReader::on_body(std::string_view piece) {
  if (ended_) return;
  if (stream_) {
    if (done()) return;
    if (!events_.feed(piece)) fail("too_large", "a line of the event stream is longer than 1 MiB");
    return;
  }
  body_bytes_ += piece.size();
  const auto kept = refused() ? kMostErrorBody : kMostErrorObject;
  error_body_ += piece.substr(0, kept - std::min(kept, error_body_.size()));
  if (refused()) {
    if (body_bytes_ >= kMostErrorBody) conclude();
    return;
  }
  json_ok_ = json_ok_ && json_.feed(piece);
  if (body_bytes_ > kMostPlainBody) fail("too_large", "the answer is larger than 16 MiB");
}

void CompletionReader::on_event(std::string_view data) {
  if (done() || ended_) return;
  if (data == "[DONE]") {
    done_ts_ = now_;
    return;
  }
  // Most events carry one more token and nothing that a row needs: they are looked at, not parsed.
  // What they seem to say is believed only once it is parsed: with logprobs, tokens are keys.
  const bool object = data.starts_with('{') && data.ends_with('}');
  if (!answer_.first_token_ts || !object || has_value(data, "\"error\"") ||
      (!finish_reason_ && has_value(data, "\"finish_reason\""))) {
    return take_event(data);
  }
  if (has_value(data, "\"usage\"")) last_usage_.assign(data);
}

void CompletionReader::take_event(std::string_view data) {
  event_json_.reset();
  if (!event_json_.feed(data) || !event_json_.finish()) {
    if (stream_error_.empty()) stream_error_ = "an event of the stream is not JSON";
    return;
  }
  const auto& facts = event_json_.facts();
  if (facts.has_error && stream_error_.empty()) {
    stream_error_ = error_words(data);
    if (stream_error_.empty()) stream_error_ = "an error event";
  }
  if (facts.has_text && !answer_.first_token_ts) answer_.first_token_ts = now_;
  finish_reason_ = finish_reason_ || facts.has_finish_reason;
  if (facts.usage) last_usage_.assign(data);
}

void CompletionReader::conclude() {
  if (refused()) {
    std::string words = error_words(error_body_);
    if (const auto why = compression(); !why.empty()) {
      words = fmt::format("HTTP status {}, the body {}", *answer_.http_status, why);
    } else if (words.empty()) {
      words = fmt::format("HTTP status {} with an empty body", *answer_.http_status);
    }
    return fail(fmt::format("http_{}", *answer_.http_status), words);
  }
  return stream_ ? conclude_stream() : conclude_plain();
}

void CompletionReader::conclude_plain() {
  if (!json_ok_ || !json_.finish()) return fail("bad_response", "the answer is not a JSON object");
  const auto& facts = json_.facts();
  if (facts.has_error) return fail("bad_response", error_words(error_body_));
  if (!facts.has_choices) return fail("bad_response", "the answer holds no choices");
  take_usage(facts);
  ended_ = true;
  answer_.status = "ok";
}

void CompletionReader::conclude_stream() {
  if (!last_usage_.empty()) {
    event_json_.reset();
    if (event_json_.feed(last_usage_) && event_json_.finish()) take_usage(event_json_.facts());
  }
  if (!stream_error_.empty()) return fail("stream_error", stream_error_);
  if (!finish_reason_) return fail("stream_error", "the stream ended without finish_reason");
  answer_.end_ts = done_ts_;
  ended_ = true;
  answer_.status = "ok";
}

void CompletionReader::take_usage(const CompletionFacts& facts) {
  if (facts.usage) answer_.usage = *facts.usage;
}

void CompletionReader::fail(std::string_view reason, std::string_view detail) {
  if (ended_) return;
  ended_ = true;
  answer_.status = fmt::format("error:{}", reason);
  answer_.detail = formats::one_line(detail, 300);
}

}  // namespace memprof::load
