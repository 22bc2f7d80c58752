#include "load/model_list.hpp"

#include "formats/text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace memprof::load {
namespace {

namespace json = boost::json;

std::optional<ModelInfo> parse_model(const json::value& entry) {
  const auto* object = entry.if_object();
  const auto* id = object == nullptr ? nullptr : object->if_contains("id");
  if (id == nullptr || !id->is_string()) return {};
  ModelInfo model;
  model.id = std::string(id->get_string());
  if (const auto* owner = object->if_contains("owned_by"); owner && owner->is_string()) {
    model.owned_by = std::string(owner->get_string());
  }
  if (const auto* length = object->if_contains("max_model_len"); length && length->is_int64()) {
    if (length->get_int64() > 0) model.max_model_len = length->get_int64();
  }
  return model;
}

}  // namespace

std::optional<std::vector<ModelInfo>> parse_model_list(std::string_view body) {
  boost::system::error_code error;
  const auto document = json::parse(body, error);
  const auto* object = error ? nullptr : document.if_object();
  const auto* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) return {};
  std::vector<ModelInfo> models;
  for (const auto& entry : data->get_array()) {
    if (auto model = parse_model(entry)) models.push_back(std::move(*model));
  }
  return models;
}

std::size_t drop_secret_names(std::vector<ModelInfo>& models, const http::Redaction& redaction) {
  return std::erase_if(models, [&](const ModelInfo& model) {
    return redaction.apply(model.id) != model.id;
  });
}

Result<std::string> choose_model(const std::string& asked, const std::vector<ModelInfo>& served) {
  if (asked != "default" || served.empty()) return asked;
  const bool listed = std::any_of(served.begin(), served.end(),
                                  [&](const ModelInfo& model) { return model.id == asked; });
  if (listed) return asked;
  if (served.size() == 1) return served.front().id;
  std::string names;
  for (const auto& model : served) {
    if (!names.empty()) names += ", ";
    names += formats::one_line(model.id, 200);
  }
  return Error{ExitCode::usage,
               fmt::format("--model: the server has several models; name one of: {}", names)};
}

}  // namespace memprof::load
