#include "cli/option_groups.hpp"

namespace memprof::cli {
namespace {

constexpr double kMostTokens = 100'000'000;
constexpr double kMostInFlight = 100'000;
constexpr double kMostSeconds = 1e7;  // 115 days

}  // namespace

void add_grid_options(OptionTable& table, WorkloadSpec& spec) {
  table.section("Grid");
  table.add("input-lens", spec.input_lens, "LIST", "Prompt tokens.", {1, kMostTokens});
  table.add("output-lens", spec.output_lens, "LIST", "Tokens to generate.", {1, kMostTokens});
  table.add("concurrencies", spec.concurrencies, "LIST", "Requests in flight.", {1, kMostInFlight});
  table.add("prefix-modes", spec.prefix_modes, "LIST",
            "low: no prompt begins like another. high: prompts of one length share a prefix.");
  table.add_or_word("n-per-condition", spec.n_per_condition, "auto", "N",
                    "Requests per grid cell. auto: as many as let every concurrency be reached.",
                    {1, 1e9});
  table.section("Prompts");
  table.add("prompt-format", spec.prompt_format, "KIND",
            "text: common words, one token each in most vocabularies. token-ids: exact lengths, "
            "sent to /completions.");
  table.add("seed", spec.seed, "N", "Same flags and seed: same bytes.", {0, 9e15});
  table.add("chars-per-token", spec.chars_per_token, "X",
            "Characters per token that the text is made for.", {0.1, 1000});
  table.add("high-prefix-share", spec.high_prefix_share, "X",
            "Part of a high prompt that is shared.", {0, 1});
  table.add("vocab-size", spec.vocab_size, "N",
            "Vocabulary of the model; ids are drawn from its middle half.", {64, 1e9});
}

void add_schedule_option(OptionTable& table, Schedule& schedule) {
  table.add("schedule", schedule, "KIND",
            "What runs together: group (all requests of a concurrency) or condition (one grid cell "
            "at a time, so that memory can be attributed to it).");
}

void add_access_options(OptionTable& table, TargetSpec& target) {
  table.add("api-key-file", target.api_key_file, "FILE",
            "File with the API key; else OPENAI_API_KEY, else VLLM_API_KEY. Never a flag's value.");
  table.add("ca-file", target.ca_file, "FILE", "PEM file of trusted certificates, for https.");
  table.add("insecure", target.insecure, "", "Do not check the server's certificate.");
}

void add_connection_options(OptionTable& table, TargetSpec& target) {
  table.add("connect-timeout", target.connect_timeout, "S", "Seconds to connect.",
            {0.001, kMostSeconds});
  table.add("header-file", target.header_file, "FILE", "File of `Name: value` lines to send too.");
}

void add_question_options(OptionTable& table, TargetSpec& target) {
  table.add("model", target.model, "NAME", "Model to ask for. default: the only one it serves.");
  table.add("endpoint", target.endpoint, "KIND",
            "chat or completions; prompts of token ids always go to completions.");
  add_access_options(table, target);
}

void add_target_options(OptionTable& table, TargetSpec& target) {
  table.section("Server");
  table.add("base-url", target.base_url, "URL", "OpenAI-compatible server, with its /v1.");
  add_question_options(table, target);
  add_connection_options(table, target);
}

void add_replay_options(OptionTable& table, ReplaySpec& replay) {
  table.section("Requests");
  table.add("timeout", replay.timeout, "S", "Seconds for one whole request.",
            {0.001, kMostSeconds});
  table.add("stream", replay.stream, "", "Stream answers, for the time of the first token.");
  table.add("exact-output", replay.exact_output, "",
            "Generate exactly output_len tokens (ignore_eos, min_tokens).");
  table.add("group-pause-s", replay.group_pause_s, "S", "Pause between groups.", {0, kMostSeconds});
  table.add("cache-salt", replay.cache_salt, "KIND",
            "Isolate the prefix cache: none, per-run, per-group, or a text of your own.");
  table.add("extra-body", replay.extra_body, "JSON",
            "Object merged into every request (not model, messages, prompt, stream).");
}

}  // namespace memprof::cli
