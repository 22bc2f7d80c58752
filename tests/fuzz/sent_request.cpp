#include "http/request_parser.hpp"
#include "input.hpp"
#include "load/request_writer.hpp"
#include "load/schedule.hpp"
#include "workload/workload_reader.hpp"

#include <boost/json.hpp>

#include <string>

/// What is asked for as it is sent: the first line is --extra-body, the second the cache salt, the
/// third a line of a workload. Read again by the server's own parser.
namespace memprof::fuzz {
namespace {

std::string_view next_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

void check(const TargetSpec& target, const ReplaySpec& replay, const WorkloadRequest& request) {
  auto copy = request;
  const auto prepared = load::prepare(std::move(copy));
  const auto url = http::parse_url(target.base_url);
  const load::RequestWriter writer(target, replay, *url, {}, "m\"\n", "salt");
  const auto bytes = writer.write(prepared, 1);
  http::RequestParser parser;
  for (const auto piece : bytes.pieces(prepared.prompt_json)) parser.append(piece);
  require(parser.parse() == http::RequestParser::State::complete, "a request is whole");
  const auto sent = parser.take();
  require(parser.waiting_bytes() == 0 && !parser.has_begun(), "a request is one request");
  require(sent.header("x-request-id") == load::request_id(replay, request.req_id),
          "a request has its id");
  boost::system::error_code error;
  const auto body = boost::json::parse(sent.body, error);
  require(!error && body.is_object(), "a body is a JSON object");
  const auto& object = body.get_object();
  require(object.at("model") == "m\"\n", "a body has the model's name");
  const bool chat = target.endpoint == Endpoint::chat && request.prompt;
  const auto& prompt = chat ? object.at("messages").at(0).at("content") : object.at("prompt");
  if (request.prompt) {
    require(prompt == boost::json::string(*request.prompt), "the prompt is the workload's");
  } else {
    require(boost::json::value_to<std::vector<std::int64_t>>(prompt) == *request.prompt_token_ids,
            "the ids are the workload's");
  }
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memprof;
  auto text = fuzz::text_of(data, size);
  ReplaySpec replay;
  replay.stream = replay.exact_output = true;
  if (const auto extra = fuzz::next_line(text); !extra.empty()) {
    replay.extra_body = std::string(extra);
    if (load::check_extra_body(replay).has_error()) return 0;
  }
  replay.cache_salt = std::string(fuzz::next_line(text));
  const auto request = workload::parse_request(text);
  if (request.has_error()) return 0;
  for (const auto endpoint : {Endpoint::chat, Endpoint::completions}) {
    TargetSpec target;
    target.endpoint = endpoint;
    fuzz::check(target, replay, *request);
  }
  return 0;
}
