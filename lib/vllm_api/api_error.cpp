#include "vllm_api/api_error.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace memprof::vllm_api {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

ApiError overloaded(std::string_view message) {
  return make_error(503, "Service Unavailable", message);
}

}  // namespace

void throw_exception_from_error(const ApiError& error, const boost::source_location&) {
  throw std::logic_error("not looked at: " + error.body);
}

ApiError make_error(int status, std::string_view type, std::string_view message,
                    std::optional<std::string_view> param) {
  return {status, fmt::format(R"({{"error":{{"message":{},"type":{},"param":{},"code":{}}}}})",
                              quoted(message), quoted(type), param ? quoted(*param) : "null",
                              status)};
}

ApiError bad_request(std::string_view message, std::optional<std::string_view> param) {
  return make_error(400, "BadRequestError", message, param);
}

ApiError bad_parameter(std::string_view message, std::string_view parameter) {
  return bad_request(fmt::format("{} (parameter={})", message, parameter), parameter);
}

ApiError bad_parameter(std::string_view message, std::string_view parameter,
                       std::string_view value) {
  return bad_request(fmt::format("{} (parameter={}, value={})", message, parameter, value),
                     parameter);
}

ApiError make_detail(int status, std::string_view detail) {
  return {status, fmt::format(R"({{"detail":{}}})", quoted(detail))};
}

ApiError unknown_model(std::string_view asked, std::string_view served) {
  return make_error(
      404, "NotFoundError",
      fmt::format("The model `{}` does not exist. Valid aliases: {}.", asked, served), "model");
}

ApiError unauthorized() { return {401, R"({"error":"Unauthorized"})"}; }
ApiError not_found() { return make_detail(404, "Not Found"); }
ApiError method_not_allowed() { return make_detail(405, "Method Not Allowed"); }

ApiError wrong_content_type() {
  return make_error(400, "Bad Request",
                    "1 validation error:\n"
                    "  Unsupported Media Type: Only 'application/json' is allowed");
}

ApiError too_many_requests_queued() {
  return overloaded(
      "The engine is currently busy and cannot accept new requests. Please try again later or on "
      "a different instance.");
}

ApiError engine_died() {
  return make_error(500, "InternalServerError",
                    "EngineCore encountered an issue. See stack trace (above) for the root cause.");
}

ApiError shutting_down() {
  return make_error(500, "InternalServerError", "cannot schedule new futures after shutdown");
}

}  // namespace memprof::vllm_api
