#include "input.hpp"
#include "workload/workload_reader.hpp"

namespace memprof::fuzz {
namespace {

void add(std::string& seen, const WorkloadRequest& request) {
  require(!request.req_id.empty(), "a request has an id");
  require(request.input_len >= 1 && request.output_len >= 1 && request.concurrency_group >= 1,
          "lengths and groups are at least 1");
  require(request.prompt.has_value() != request.prompt_token_ids.has_value(),
          "text or ids, not both");
  seen += request.req_id + '\t' + request.prompt.value_or("") + '\n';
}

/// The requests and how it ended.
std::string read(std::string_view text, Cut cut) {
  std::string seen;
  std::string error;
  workload::WorkloadReader reader("file",
                                  [&](WorkloadRequest&& request) { add(seen, request); });
  in_pieces(text, cut, [&](std::string_view piece) {
    const auto fed = reader.feed(piece);
    if (fed.has_error()) error = fed.error().message;
    return !fed.has_error();
  });
  if (!error.empty()) return seen + error;
  const auto read = reader.finish();
  return seen + (read.has_error() ? read.error().message : std::to_string(*read));
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  const auto text = fuzz::text_of(data, size);
  fuzz::read_alike(text, fuzz::read, "any split, the same requests");
  std::string seen;
  const auto request = workload::parse_request(text);
  if (request.has_value()) fuzz::add(seen, *request);
  return 0;
}
