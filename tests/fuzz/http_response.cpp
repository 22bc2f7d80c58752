#include "load/completion_reader.hpp"

#include "input.hpp"

namespace memprof::fuzz {
namespace {

load::Answer read(std::string_view text, Cut cut) {
  load::CompletionReader reader;
  reader.reset();
  bool complete = false;
  in_pieces(text, cut, [&](std::string_view piece) {
    complete = reader.feed(piece, Timestamp{});
    return !complete;
  });
  if (!complete) reader.finish(true, {});
  return reader.answer();
}

bool same(const load::Answer& a, const load::Answer& b) {
  return a.status == b.status && a.http_status == b.http_status &&
         a.usage.prompt_tokens == b.usage.prompt_tokens &&
         a.usage.completion_tokens == b.usage.completion_tokens &&
         a.usage.cached_tokens == b.usage.cached_tokens && a.first_token_ts == b.first_token_ts;
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof::fuzz;
  const auto text = text_of(data, size);
  const auto whole = read(text, Cut::whole);
  require(whole.status == "ok" || whole.status.starts_with("error:"), "an answer has a status");
  require((whole.status == "ok") == whole.detail.empty(), "a failure says why, and nothing else");
  for (const auto cut : kSplits) {
    const auto split = read(text, cut);
    if (!same(split, whole)) {
      std::fprintf(stderr, "whole: %s: %s\nsplit: %s: %s\n", whole.status.c_str(),
                   whole.detail.c_str(), split.status.c_str(), split.detail.c_str());
    }
    require(same(split, whole), "any split, the same answer");
  }
  return 0;
}
