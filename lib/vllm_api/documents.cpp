#include "vllm_api/documents.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

namespace memprof::vllm_api {

std::string models_document(std::string_view model, std::string_view root, Tokens max_model_len,
                            std::int64_t created, std::string_view permission_id) {
  const auto quoted = [](std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
  };
  return fmt::format(
      R"({{"object":"list","data":[{{"id":{0},"object":"model","created":{1},"owned_by":"vllm",)"
      R"("root":{2},"parent":null,"max_model_len":{3},"permission":[{{"id":"modelperm-{4}",)"
      R"("object":"model_permission","created":{1},"allow_create_engine":false,)"
      R"("allow_sampling":true,"allow_logprobs":true,"allow_search_indices":false,)"
      R"("allow_view":true,"allow_fine_tuning":false,"organization":"*","group":null,)"
      R"("is_blocking":false}}]}}]}})",
      quoted(model), created, quoted(root), max_model_len, permission_id);
}

std::string version_document() {
  return fmt::format(R"({{"version":"{}","simulator":"memprof {}"}})", kVllmVersion,
                     MEMPROF_VERSION);
}

}  // namespace memprof::vllm_api
