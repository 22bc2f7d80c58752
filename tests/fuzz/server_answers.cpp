#include "gpu/simulated_gpus.hpp"
#include "input.hpp"
#include "load/model_list.hpp"

#include <string>

namespace memprof::fuzz {
namespace {

void check_models(std::string_view body) {
  const auto models = load::parse_model_list(body);
  if (!models) return;
  for (const auto& model : *models) {
    require(!model.max_model_len || *model.max_model_len > 0, "a context has tokens");
  }
  require(load::choose_model("m", *models).value() == "m", "a name is sent as typed");
  const auto chosen = load::choose_model("default", *models);
  if (chosen.has_error()) {
    const auto& words = chosen.error().message;
    require(models->size() > 1, "only a choice needs a word");
    require(words.find_first_of("\r\n\x1b") == std::string::npos, "an error is one line of text");
  }
}

void check_gpus(std::string_view body) {
  const auto page = gpu::parse_simulated_gpus(body);
  if (page.has_error()) {
    require(!page.error().message.empty(), "an error has words");
    return;
  }
  require(!page->gpus.empty(), "a page has a GPU");
  for (const auto& gpu : page->gpus) {
    require(gpu.used_bytes >= 0 && gpu.used_bytes <= gpu.total_bytes, "no more used than there is");
    require(gpu.reserved_bytes >= 0, "no negative number");
  }
}

}  // namespace
}  // namespace memprof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = memprof::fuzz::text_of(data, size);
  memprof::fuzz::check_models(text);
  memprof::fuzz::check_gpus(text);
  return 0;
}
