#include "formats/described.hpp"
#include "workload/workload_reader.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <limits>
#include <optional>

namespace memprof::workload {
namespace {

namespace json = boost::json;

Error wrong(std::string_view key, std::string_view what) {
  return {ExitCode::usage, fmt::format("{}: {}", key, what)};
}

/// A member that is there and not null.
const json::value* find(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

std::optional<std::int64_t> whole_number(const json::value& value, std::int64_t least) {
  boost::system::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  if (error || number < least) return {};
  return number;
}

Result<std::int64_t> read_positive(const json::object& object, std::string_view key) {
  const auto* member = find(object, key);
  if (member == nullptr) return wrong(key, "is missing");
  const auto number = whole_number(*member, 1);
  if (!number) return wrong(key, "must be a whole number of at least 1");
  return *number;
}

Result<std::string> read_text(const json::value& value, std::string_view key) {
  if (!value.is_string()) return wrong(key, "must be a string");
  if (value.get_string().empty()) return wrong(key, "must not be empty");
  return std::string(value.get_string());
}

Result<std::vector<std::int64_t>> read_token_ids(const json::value& value) {
  static constexpr std::string_view kKey = "prompt_token_ids";
  if (!value.is_array()) return wrong(kKey, "must be an array of whole numbers");
  const auto& array = value.get_array();
  if (array.empty()) return wrong(kKey, "must not be empty");
  std::vector<std::int64_t> ids;
  ids.reserve(array.size());
  for (const auto& element : array) {
    const auto id = whole_number(element, 0);
    if (!id) {
      return wrong(fmt::format("{}[{}]", kKey, ids.size()),
                   "must be a whole number of at least 0");
    }
    ids.push_back(*id);
  }
  return ids;
}

Result<void> read_prompt(const json::object& object, WorkloadRequest& request) {
  const auto* text = find(object, "prompt");
  const auto* ids = find(object, "prompt_token_ids");
  if (text != nullptr && ids != nullptr) {
    return wrong("prompt", "give either prompt or prompt_token_ids, not both");
  }
  if (text == nullptr && ids == nullptr) {
    return wrong("prompt", "is missing, and so is prompt_token_ids");
  }
  if (text != nullptr) {
    auto prompt = read_text(*text, "prompt");
    if (prompt.has_error()) return prompt.error();
    request.prompt = std::move(*prompt);
  } else {
    auto list = read_token_ids(*ids);
    if (list.has_error()) return list.error();
    request.prompt_token_ids = std::move(*list);
  }
  return {};
}

Result<void> read_extra(const json::object& object, WorkloadExtra& extra) {
  const auto* member = find(object, "extra");
  if (member == nullptr) return {};
  if (!member->is_object()) return wrong("extra", "must be an object");
  if (const auto* mode = find(member->get_object(), "prefix_mode")) {
    extra.prefix_mode = mode->is_string()
                            ? formats::parse_enum<PrefixMode>(std::string_view(mode->get_string()))
                            : std::nullopt;
    if (!extra.prefix_mode) return wrong("extra.prefix_mode", "must be \"low\" or \"high\"");
  }
  if (const auto* rep = find(member->get_object(), "rep")) {
    extra.rep = whole_number(*rep, 0);
    if (!extra.rep) return wrong("extra.rep", "must be a whole number of at least 0");
  }
  return {};
}

}  // namespace

Result<WorkloadRequest> parse_request(std::string_view line) {
  boost::system::error_code error;
  json::monotonic_resource memory;
  const auto value = json::parse(line, error, &memory);
  if (error) return wrong("line", "not JSON in UTF-8: " + error.message());
  if (!value.is_object()) return wrong("line", "must be a JSON object");
  const auto& object = value.get_object();

  WorkloadRequest request;
  const auto* id = find(object, "req_id");
  if (id == nullptr) return wrong("req_id", "is missing");
  auto req_id = read_text(*id, "req_id");
  if (req_id.has_error()) return req_id.error();
  request.req_id = std::move(*req_id);
  if (const auto read = read_prompt(object, request); read.has_error()) return read.error();

  const auto numbers = {std::pair("input_len", &request.input_len),
                        std::pair("output_len", &request.output_len),
                        std::pair("concurrency_group", &request.concurrency_group)};
  for (const auto& [key, target] : numbers) {
    const auto number = read_positive(object, key);
    if (number.has_error()) return number.error();
    *target = *number;
  }
  if (const auto read = read_extra(object, request.extra); read.has_error()) return read.error();
  return request;
}

}  // namespace memprof::workload
