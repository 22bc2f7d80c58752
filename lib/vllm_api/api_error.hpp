#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace memprof::vllm_api {

/// An answer that says why not, as vLLM 0.32 words it; `body` is JSON.
struct ApiError {
  int status = 400;
  std::string body;
};

/// value() throws std::logic_error: ask has_value() first.
template <class T>
using ApiResult = boost::system::result<T, ApiError>;

[[noreturn]] void throw_exception_from_error(const ApiError& error,
                                             const boost::source_location& where);

/// `{"error":{"message":…,"type":…,"param":…,"code":…}}`; no param: null.
ApiError make_error(int status, std::string_view type, std::string_view message,
                    std::optional<std::string_view> param = {});
/// 400 of type BadRequestError.
ApiError bad_request(std::string_view message, std::optional<std::string_view> param = {});
/// The same, where the message ends in its parameter, and the value that was given for it.
ApiError bad_parameter(std::string_view message, std::string_view parameter);
ApiError bad_parameter(std::string_view message, std::string_view parameter,
                       std::string_view value);
/// `{"detail":…}`, as the web framework under vLLM answers.
ApiError make_detail(int status, std::string_view detail);

ApiError unknown_model(std::string_view asked, std::string_view served);  ///< 404
ApiError unauthorized();          ///< 401: no API key, or a wrong one
ApiError not_found();             ///< 404: no such path
ApiError method_not_allowed();    ///< 405; the header `allow` has what is
ApiError wrong_content_type();    ///< 400: a body that does not say it is JSON
ApiError too_many_requests_queued();  ///< 503 of --max-num-queued-reqs
ApiError engine_died();           ///< 500: the server is being shut down under a request
ApiError shutting_down();         ///< 500: a request during the shutdown

}  // namespace memprof::vllm_api
