#include "server_metrics/scrape.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace memprof::server_metrics {
namespace {

boost::json::object config_of(const formats::PrometheusSample& sample) {
  boost::json::object config;
  for (const auto& [name, value] : sample.labels) {
    if (name != "engine" && name != "model_name" && name != "pid") config[name] = value;
  }
  return config;
}

void add(EngineReading& reading, std::size_t family, double value) {
  const auto quantity = families()[family].quantity;
  auto& kept = reading.values[index_of(quantity)];
  auto& kept_family = reading.family[index_of(quantity)];
  if (!kept || family < kept_family) {
    kept = value;
    kept_family = family;
  } else if (family == kept_family) {
    kept = is_counter(quantity) ? *kept + value : std::max(*kept, value);
  }
}

/// Numbers by value: `2` before `10`.
bool engine_before(const EngineReading& a, const EngineReading& b) {
  return std::pair(a.engine.size(), std::string_view(a.engine)) <
         std::pair(b.engine.size(), std::string_view(b.engine));
}

const EngineReading* find(const Scrape& scrape, std::string_view name) {
  for (const auto& engine : scrape.engines) {
    if (engine.engine == name) return &engine;
  }
  return nullptr;
}

bool covers(const EngineReading& part, const EngineReading& whole) {
  for (std::size_t i = 0; i < kQuantities; ++i) {
    if (whole.values[i] && !part.values[i]) return false;
  }
  return part.cache_config == whole.cache_config;
}

bool has_fallen(const EngineReading& later, const EngineReading& earlier) {
  for (std::size_t i = 0; i < kQuantities; ++i) {
    if (is_counter(static_cast<Quantity>(i)) && later.values[i] < earlier.values[i]) return true;
  }
  return false;
}

}  // namespace

bool covers(const Scrape& part, const Scrape& whole) {
  if (part.process_start_s.has_value() != whole.process_start_s.has_value()) return false;
  return std::all_of(whole.engines.begin(), whole.engines.end(), [&](const EngineReading& engine) {
    const auto* same = find(part, engine.engine);
    return same != nullptr && covers(*same, engine);
  });
}

bool continues(const Scrape& later, const Scrape& earlier) {
  if (!covers(later, earlier) || later.process_start_s != earlier.process_start_s) return false;
  return std::none_of(later.engines.begin(), later.engines.end(), [&](const EngineReading& engine) {
    const auto* before = find(earlier, engine.engine);
    return before != nullptr && has_fallen(engine, *before);
  });
}

void ScrapeReader::reset() {
  scanner_.reset();
  common_config_.clear();
  scrape_ = {};
}

const Scrape& ScrapeReader::finish() {
  scanner_.finish();
  // A server names its engines in all series or in none; a stray one must not become a second `0`.
  const auto is_labelled = [](const EngineReading& engine) { return engine.labelled; };
  if (std::any_of(scrape_.engines.begin(), scrape_.engines.end(), is_labelled)) {
    std::erase_if(scrape_.engines, std::not_fn(is_labelled));
  }
  for (auto& engine : scrape_.engines) {
    if (!engine.labelled) engine.engine = "0";
    if (engine.cache_config.empty()) engine.cache_config = common_config_;
  }
  if (clean_) clean_words();
  std::sort(scrape_.engines.begin(), scrape_.engines.end(), engine_before);
  scrape_.broken_lines = scanner_.broken_lines();
  return scrape_;
}

void ScrapeReader::clean_words() {
  for (auto& engine : scrape_.engines) {
    engine.engine = clean_(engine.engine);
    boost::json::object cleaned;
    for (const auto& [name, value] : engine.cache_config) {
      cleaned[clean_(name)] = clean_(value.as_string());
    }
    engine.cache_config = std::move(cleaned);
  }
}

bool ScrapeReader::wants(std::string_view name) {
  const auto found = find_family(name);
  if (found) family_ = *found;
  return found.has_value();
}

void ScrapeReader::on_sample(const formats::PrometheusSample& sample) {
  const auto quantity = families()[family_].quantity;
  const auto name = sample.label("engine");
  if (quantity == Quantity::process_start) {
    if (std::isfinite(sample.value)) scrape_.process_start_s = sample.value;
  } else if (quantity == Quantity::cache_config) {
    if (name) {
      engine(name).cache_config = config_of(sample);
    } else {
      common_config_ = config_of(sample);
    }
  } else if (std::isfinite(sample.value)) {
    scrape_.by_process = scrape_.by_process || sample.label("pid").has_value();
    add(engine(name), family_, sample.value);
  }
}

EngineReading& ScrapeReader::engine(std::optional<std::string_view> name) {
  for (auto& engine : scrape_.engines) {
    if (engine.labelled == name.has_value() && (!name || engine.engine == *name)) return engine;
  }
  auto& added = scrape_.engines.emplace_back();
  added.labelled = name.has_value();
  if (name) added.engine = *name;
  return added;
}

}  // namespace memprof::server_metrics
