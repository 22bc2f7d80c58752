#include "load/schedule.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace memprof::load {

PreparedRequest prepare(WorkloadRequest&& request) {
  PreparedRequest prepared;
  prepared.row.req_id = std::move(request.req_id);
  prepared.row.input_len = request.input_len;
  prepared.row.output_len = request.output_len;
  prepared.row.concurrency_group = request.concurrency_group;
  prepared.row.prefix_mode = request.extra.prefix_mode;
  prepared.row.rep = request.extra.rep;
  prepared.token_ids = request.prompt_token_ids.has_value();
  if (prepared.token_ids) {
    prepared.prompt_json += '[';
    for (const auto id : *request.prompt_token_ids) {
      if (prepared.prompt_json.size() > 1) prepared.prompt_json += ',';
      prepared.prompt_json += std::to_string(id);
    }
    prepared.prompt_json += ']';
  } else {
    prepared.prompt_json = boost::json::serialize(boost::json::string(*request.prompt));
  }
  // Both grow by doubling, and a workload's prompts are most of this process's memory.
  prepared.prompt_json.shrink_to_fit();
  return prepared;
}

std::vector<Batch> make_batches(const std::vector<PreparedRequest>& workload, Schedule schedule) {
  std::vector<std::size_t> order(workload.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return workload[a].row.concurrency_group < workload[b].row.concurrency_group;
  });

  std::vector<Batch> batches;
  std::map<std::tuple<std::int64_t, Tokens, Tokens, std::optional<PrefixMode>>, std::size_t> known;
  for (const auto index : order) {
    const auto& row = workload[index].row;
    auto key = std::tuple(row.concurrency_group, Tokens{0}, Tokens{0}, std::optional<PrefixMode>());
    if (schedule == Schedule::condition) {
      key = {row.concurrency_group, row.input_len, row.output_len, row.prefix_mode};
    }
    const auto [at, is_new] = known.try_emplace(key, batches.size());
    if (is_new) batches.push_back({row.concurrency_group, {}});
    batches[at->second].requests.push_back(index);
  }
  return batches;
}

}  // namespace memprof::load
