#include "workload/generate.hpp"

#include "formats/described.hpp"
#include "workload/grid.hpp"

#include <fmt/format.h>

#include <memory>
#include <string_view>

namespace memprof::workload {
namespace {

constexpr std::size_t kBatchBytes = 256 << 10;  // stays in a core's cache

/// Lines are laid out as Python's json.dumps does.
char* write_line(char* out, const GridRequest& request, const PromptWriter& prompts, bool ids) {
  const std::string_view mode = formats::enum_name(request.prefix_mode);
  out = fmt::format_to(out, R"({{"req_id": "r_{:03}c_{}i_{}o_{}_{:02}")", request.concurrency,
                       request.input_len, request.output_len, mode, request.rep);
  if (!ids) {
    out = fmt::format_to(out, R"(, "prompt": )");
    out = prompts.write(out, request);
  }
  out = fmt::format_to(out, R"(, "input_len": {}, "output_len": {}, "concurrency_group": {})",
                       request.input_len, request.output_len, request.concurrency);
  out = fmt::format_to(out, R"(, "extra": {{"prefix_mode": "{}", "rep": {}}})", mode, request.rep);
  if (ids) {
    out = fmt::format_to(out, R"(, "prompt_token_ids":)");
    out = prompts.write(out, request);
  }
  *out++ = '}';
  *out++ = '\n';
  return out;
}

}  // namespace

void generate(const WorkloadSpec& spec, const TextFit& fit, const LineSink& sink) {
  const PromptWriter prompts(spec, fit);
  const bool ids = spec.prompt_format == PromptFormat::token_ids;
  const std::size_t room = kBatchBytes + prompts.max_bytes();
  const auto buffer = std::make_unique_for_overwrite<char[]>(room);
  char* end = buffer.get();
  std::int64_t requests = 0;
  const auto hand_over = [&] {
    const std::string_view lines(buffer.get(), static_cast<std::size_t>(end - buffer.get()));
    const bool go_on = lines.empty() || sink(lines, requests);
    end = buffer.get();
    requests = 0;
    return go_on;
  };
  bool go_on = true;
  for_each_request(spec, [&](const GridRequest& request) {
    end = write_line(end, request, prompts, ids);
    ++requests;
    if (static_cast<std::size_t>(end - buffer.get()) >= kBatchBytes) go_on = hand_over();
    return go_on;
  });
  if (go_on) hand_over();
}

}  // namespace memprof::workload
