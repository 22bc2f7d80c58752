#include "vllm_api/answers.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace memprof::vllm_api {
namespace {

constexpr std::string_view kDone = "data: [DONE]\n\n";

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

void append_int(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_ids(std::string& out, std::span<const TokenId> ids) {
  out += '[';
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ',';
    append_int(out, ids[i]);
  }
  out += ']';
}

void append_ids_or_null(std::string& out, bool wanted, std::span<const TokenId> ids) {
  if (wanted) {
    append_ids(out, ids);
  } else {
    out += "null";
  }
}

void append_texts(std::string& out, std::span<const TokenId> ids) {
  for (const auto id : ids) Tokenizer::append_text(out, id);
}

constexpr std::string_view quoted_reason(FinishReason reason) {
  return reason == FinishReason::stop ? R"("stop")" : R"("length")";
}

void append_counts(std::string& out, Tokens prompt, Tokens completion) {
  out += R"(,"usage":{"prompt_tokens":)";
  append_int(out, prompt);
  out += R"(,"total_tokens":)";
  append_int(out, prompt + completion);
  out += R"(,"completion_tokens":)";
  append_int(out, completion);
}

std::string object_head(const AnswerIdentity& identity, std::string_view object) {
  return fmt::format(R"({{"id":{},"object":"{}","created":{},"model":{},"choices":[)",
                     quoted(identity.id), object, identity.created, quoted(identity.model));
}

void append_chat_choice(std::string& out, const CompletionRequest& request, std::size_t index,
                        const Choice& choice) {
  out += fmt::format(R"({{"index":{},"message":{{"role":"assistant","content":")", index);
  append_texts(out, choice.tokens);
  out += R"(","refusal":null,"annotations":null,"audio":null,"function_call":null,)"
         R"("reasoning":null},"logprobs":null,"finish_reason":)";
  out += quoted_reason(choice.finish);
  out += R"(,"stop_reason":null,"token_ids":)";
  append_ids_or_null(out, request.return_token_ids, choice.tokens);
  out += R"(,"routed_experts":null})";
}

void append_text_choice(std::string& out, const CompletionRequest& request, std::size_t index,
                        const Choice& choice) {
  out += fmt::format(R"({{"index":{},"text":")", index);
  append_texts(out, choice.tokens);
  out += R"(","logprobs":null,"finish_reason":)";
  out += quoted_reason(choice.finish);
  out += R"(,"stop_reason":null,"token_ids":)";
  append_ids_or_null(out, request.return_token_ids, choice.tokens);
  out += R"(,"prompt_logprobs":null,"prompt_token_ids":)";
  const auto prompt = index / static_cast<std::size_t>(request.n);
  append_ids_or_null(out, request.return_token_ids, request.prompts[prompt].ids);
  out += R"(,"routed_experts":null})";
}

void append_body_usage(std::string& out, const CompletionRequest& request,
                       std::span<const Choice> choices, const AnswerIdentity& identity,
                       CachedTokens cached) {
  Tokens prompt = 0;
  Tokens completion = 0;
  for (const auto& one : request.prompts) prompt += std::ssize(one.ids);
  for (const auto& choice : choices) completion += std::ssize(choice.tokens);
  append_counts(out, prompt, completion);
  out += R"(,"prompt_tokens_details":)";
  if (identity.prompt_tokens_details) {
    out += fmt::format(
        R"({{"cached_tokens":{},"created_cache_tokens":{},"multimodal_tokens":null}})",
        cached.cached, request.chat ? std::to_string(cached.created) : "null");
  } else {
    out += "null";
  }
  out += R"(,"completion_tokens_details":null})";
}

}  // namespace

std::string answer_id(bool chat, std::string_view request_id) {
  return fmt::format("{}-{}", chat ? "chatcmpl" : "cmpl", request_id);
}

std::string utf8_of_header(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

std::string answer_body(const CompletionRequest& request, const AnswerIdentity& identity,
                        std::span<const Choice> choices, CachedTokens cached) {
  std::string out =
      object_head(identity, request.chat ? "chat.completion" : "text_completion");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += ',';
    if (request.chat) {
      append_chat_choice(out, request, i, choices[i]);
    } else {
      append_text_choice(out, request, i, choices[i]);
    }
  }
  out += R"(],"service_tier":null,"system_fingerprint":)";
  out += quoted(identity.fingerprint);
  append_body_usage(out, request, choices, identity, cached);
  if (request.chat) {
    out += R"(,"prompt_logprobs":null,"prompt_token_ids":)";
    append_ids_or_null(out, request.return_token_ids, request.prompts[0].ids);
    out += R"(,"prompt_text":null)";
  }
  out += R"(,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null})";
  return out;
}

StreamWriter::StreamWriter(const CompletionRequest& request, const AnswerIdentity& identity)
    : chat_(request.chat),
      include_usage_(request.include_usage),
      continuous_usage_(request.continuous_usage),
      return_token_ids_(request.return_token_ids),
      prompt_tokens_details_(identity.prompt_tokens_details),
      choices_per_prompt_(request.n),
      head_("data: " + object_head(identity, chat_ ? "chat.completion.chunk" : "text_completion") +
            std::string(kIndexKey)),
      fingerprint_(R"(,"system_fingerprint":)" + quoted(identity.fingerprint)),
      completion_tokens_(static_cast<std::size_t>(request.choices()), 0) {
  for (const auto& prompt : request.prompts) {
    prompt_tokens_.push_back(std::ssize(prompt.ids));
    if (return_token_ids_) prompt_ids_.push_back(prompt.ids);
  }
}

std::size_t StreamWriter::prompt_of(std::int64_t choice) const {
  return static_cast<std::size_t>(choice / choices_per_prompt_);
}

void StreamWriter::begin(std::string& out) const {
  if (!chat_) return;
  for (std::int64_t choice = 0; choice < std::ssize(completion_tokens_); ++choice) {
    out += head_;
    append_int(out, choice);
    out += R"(,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}])";
    if (continuous_usage_) append_running_usage(out, choice);
    out += R"(,"prompt_token_ids":)";
    append_prompt_ids(out, choice, return_token_ids_);
    out += R"(,"prompt_text":null})" "\n\n";
  }
}

void StreamWriter::append_tokens(std::string& out, std::int64_t choice,
                                 std::span<const TokenId> tokens,
                                 std::optional<FinishReason> finish) {
  auto& counted = completion_tokens_[static_cast<std::size_t>(choice)];
  const bool first = counted == 0;
  counted += std::ssize(tokens);
  out += head_;
  append_int(out, choice);
  out += chat_ ? R"(,"delta":{"content":")" : R"(,"text":")";
  append_texts(out, tokens);
  out += chat_ ? R"("},"logprobs":null,"finish_reason":)" : R"(","logprobs":null,"finish_reason":)";
  out += finish ? quoted_reason(*finish) : "null";
  if (!chat_ || finish) out += R"(,"stop_reason":null)";
  if (!chat_) {
    out += R"(,"prompt_token_ids":)";
    append_prompt_ids(out, choice, return_token_ids_ && first);
  }
  out += R"(,"token_ids":)";
  append_ids_or_null(out, return_token_ids_, tokens);
  out += "}]";
  if (continuous_usage_) append_running_usage(out, choice);
  if (finish && !include_usage_) out += fingerprint_;
  out += "}\n\n";
}

void StreamWriter::end(std::string& out, CachedTokens cached) const {
  if (include_usage_) {
    Tokens prompt = 0;
    Tokens completion = 0;
    for (const auto tokens : prompt_tokens_) prompt += tokens;
    for (const auto tokens : completion_tokens_) completion += tokens;
    out.append(head_, 0, head_.size() - kIndexKey.size());
    out += ']';
    append_counts(out, prompt, completion);
    if (prompt_tokens_details_) {
      out += R"(,"prompt_tokens_details":{"cached_tokens":)";
      append_int(out, cached.cached);
      if (chat_) {
        out += R"(,"created_cache_tokens":)";
        append_int(out, cached.created);
      }
      out += '}';
    }
    out += '}';
    out += fingerprint_;
    out += "}\n\n";
  }
  out += kDone;
}

void StreamWriter::fail(std::string& out) {
  out += R"(data: {"error": {"message": "EngineCore encountered an issue. See stack trace )"
         R"((above) for the root cause.", "type": "InternalServerError", "param": null, )"
         R"("code": 500}})" "\n\n";
  out += kDone;
}

void StreamWriter::append_running_usage(std::string& out, std::int64_t choice) const {
  append_counts(out, prompt_tokens_[prompt_of(choice)],
                completion_tokens_[static_cast<std::size_t>(choice)]);
  if (chat_) out += R"(,"completion_tokens_details":null)";
  out += '}';
}

void StreamWriter::append_prompt_ids(std::string& out, std::int64_t choice, bool wanted) const {
  if (wanted) {
    append_ids(out, prompt_ids_[prompt_of(choice)]);
  } else {
    out += "null";
  }
}

}  // namespace memprof::vllm_api
