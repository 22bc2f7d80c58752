#include "recorded_case.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

namespace memprof::simulator {
namespace {

std::string one_decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

template <class T>
T get_or(const boost::json::value& object, const char* key, T otherwise) {
  const auto* value = object.as_object().if_contains(key);
  return value == nullptr ? otherwise : value->to_number<T>();
}

bool is_on(const boost::json::value& object, const char* key, bool otherwise) {
  const auto* value = object.as_object().if_contains(key);
  return value == nullptr ? otherwise : value->as_bool();
}

}  // namespace

boost::json::value read_case(const std::string& name) {
  std::ifstream file(std::string(MEMPROF_TEST_DATA) + "/vllm_scheduler/" + name + ".json");
  EXPECT_TRUE(file.is_open()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str());
}

EngineConfig config_of(const boost::json::value& server) {
  EngineConfig config;
  config.num_gpu_blocks = server.at("num_gpu_blocks").to_number<std::int64_t>();
  config.block_size = server.at("block_size").to_number<std::int64_t>();
  config.max_num_seqs = server.at("max_num_seqs").to_number<std::int64_t>();
  config.max_num_batched_tokens = server.at("max_num_batched_tokens").to_number<Tokens>();
  config.max_model_len = server.at("max_model_len").to_number<Tokens>();
  config.enable_prefix_caching = server.at("enable_prefix_caching").as_bool();
  config.scheduler_reserve_full_isl = is_on(server, "reserve_full", true);
  config.watermark = get_or<double>(server, "watermark", 0);
  config.long_prefill_token_threshold = get_or<Tokens>(server, "long_prefill_threshold", 0);
  config.async_scheduling = is_on(server, "asynchronous", false);
  return config;
}

std::vector<TokenId> tokens_of(const boost::json::value& list) {
  std::vector<TokenId> tokens;
  if (list.is_null()) return tokens;
  for (const auto& token : list.as_array()) tokens.push_back(token.to_number<TokenId>());
  return tokens;
}

Replay::Row row_of(const boost::json::value& recorded) {
  Replay::Row row;
  if (const auto* named = recorded.if_object()) {
    for (const char* key : {"context_requests", "context_tokens", "generation_requests",
                            "generation_tokens"}) {
      row.push_back(std::to_string(named->at(key).to_number<std::int64_t>()));
    }
    row.push_back(one_decimal(named->at("kv_usage_pct").to_number<double>()));
    return row;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    row.push_back(std::to_string(recorded.at(i).to_number<std::int64_t>()));
  }
  row.push_back(one_decimal(recorded.at(4).to_number<double>()));
  return row;
}

void Replay::add(std::int64_t index, const boost::json::value& prompt, Tokens max_tokens,
                 const std::string& salt, std::vector<TokenId> outputs) {
  NewRequest request;
  request.prompt = tokens_of(prompt);
  request.max_tokens = max_tokens;
  request.cache_salt = salt;
  const auto id = engine_.add(std::move(request), 0);
  id_of_[index] = id;
  index_of_[id] = index;
  outputs_[index] = std::move(outputs);
}

void Replay::abort(std::int64_t index) { EXPECT_TRUE(engine_.abort(id_of_.at(index))) << index; }

void Replay::plan_up_to(std::int64_t most) {
  while (planned_ < most) {
    const Step* step = engine_.plan(0);
    if (step == nullptr) return;
    if (!step->empty()) ++planned_;
  }
}

bool Replay::take() {
  const Step step = *engine_.front();
  std::vector<Output> outputs;
  engine_.take(
      [&](RequestId id) {
        const auto index = index_of_.at(id);
        const auto& tokens = outputs_.at(index);
        const auto at = given_[index]++;
        return Sampled{at < tokens.size() ? tokens[at] : unseen_++, false};
      },
      0, outputs);
  for (const auto& output : outputs) {
    cached_[index_of_.at(output.id)] = output.record.cached_tokens;
  }
  if (step.empty()) return false;
  rows_.push_back({std::to_string(step.context_requests), std::to_string(step.context_tokens),
                   std::to_string(step.generation_requests),
                   std::to_string(step.generation_tokens),
                   one_decimal(100 * engine_.counters().kv_cache_usage)});
  return true;
}

std::map<std::string, double> Replay::metrics() const {
  const auto& now = engine_.counters();
  return {{"prefix_cache_queries_total", static_cast<double>(now.prefix_cache_queries)},
          {"prefix_cache_hits_total", static_cast<double>(now.prefix_cache_hits)},
          {"num_preemptions_total", static_cast<double>(now.preemptions)},
          {"prompt_tokens_total", static_cast<double>(now.prompt_tokens)},
          {"generation_tokens_total", static_cast<double>(now.generation_tokens)},
          {"num_requests_running", static_cast<double>(now.requests_running)},
          {"num_requests_waiting", static_cast<double>(now.requests_waiting)}};
}

}  // namespace memprof::simulator
