#include "input.hpp"
#include "vllm_api/answers.hpp"
#include "vllm_api/completion_request.hpp"

#include <boost/json.hpp>

namespace memprof::fuzz {
namespace {

const vllm_api::ServedModel kModel{"m", 64};

void require_json(std::string_view text) {
  boost::system::error_code error;
  const auto json = boost::json::parse(text, error);
  require(!error && json.is_object(), "what goes out is a JSON object");
}

void check_good(const vllm_api::CompletionRequest& request) {
  require(!request.prompts.empty() && request.n >= 1, "there is something to answer");
  require(!request.continuous_usage || request.include_usage, "running usage needs usage");
  for (const auto& prompt : request.prompts) {
    const auto tokens = static_cast<Tokens>(prompt.ids.size());
    require(tokens >= 1 && prompt.max_tokens >= 1, "a prompt and an answer have tokens");
    require(tokens + prompt.max_tokens <= kModel.max_model_len, "both fit into the context");
    require(request.min_tokens >= 0 && request.min_tokens <= prompt.max_tokens,
            "no less than min_tokens can come");
    for (const auto id : prompt.ids) {
      require(id >= 0 && id < vllm_api::kDefaultVocabSize, "ids are in the vocabulary");
    }
  }
  if (request.choices() > 64) return;
  const std::vector<vllm_api::Choice> choices(static_cast<std::size_t>(request.choices()),
                                              {{256}, vllm_api::FinishReason::length});
  vllm_api::AnswerIdentity identity{request.request_id.value_or("x"), 1, "m", "f", true};
  require_json(vllm_api::answer_body(request, identity, choices, {}));
  vllm_api::StreamWriter writer(request, identity);
  std::string out;
  writer.append_tokens(out, 0, choices[0].tokens, choices[0].finish);
  require(out.starts_with("data: ") && out.ends_with("\n\n"), "an event has its frame");
  require_json(std::string_view(out).substr(6));
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  static const vllm_api::Tokenizer kTokenizer;
  const auto text = fuzz::text_of(data, size);
  for (const bool chat : {false, true}) {
    const auto request = vllm_api::parse_completion_request(text, chat, fuzz::kModel, kTokenizer);
    if (request.has_value()) {
      fuzz::check_good(*request);
    } else {
      const int status = request.error().status;
      fuzz::require(status == 400 || status == 404, "what cannot be served is the client's fault");
      fuzz::require_json(request.error().body);
    }
  }
  const auto answer = vllm_api::answer_tokenize(text, fuzz::kModel, kTokenizer);
  fuzz::require_json(answer.has_value() ? *answer : answer.error().body);
  return 0;
}
