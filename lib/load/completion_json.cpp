#include "load/completion_json.hpp"

#include "formats/text.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include <limits>
#include <vector>

namespace memprof::load {
namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kMostErrorCharacters = 300;

/// The handler of Boost.JSON's event parser: keeps the path of keys, and looks at few of them.
class Handler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 1 << 16;
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  CompletionFacts facts;
  bool is_object = false;

  void reset() {
    facts = {};
    is_object = false;
    path_.clear();
    key_.clear();
    text_bytes_ = 0;
  }

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) {
    if (path_.empty()) is_object = true;
    begin_value();
    path_.push_back({});
    return true;
  }
  bool on_object_end(std::size_t, ErrorCode&) { return leave(); }
  bool on_array_begin(ErrorCode&) {
    begin_value();
    path_.push_back({true, {}});
    return true;
  }
  bool on_array_end(std::size_t, ErrorCode&) { return leave(); }

  bool on_key_part(json::string_view part, std::size_t, ErrorCode&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, ErrorCode&) {
    key_.append(part.data(), part.size());
    path_.back().key.swap(key_);
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, ErrorCode&) {
    text_bytes_ += part.size();
    return true;
  }
  bool on_string(json::string_view part, std::size_t, ErrorCode&) {
    text_bytes_ += part.size();
    if (in_choice()) {
      if (at("finish_reason")) facts.has_finish_reason = true;
      if (text_bytes_ > 0 && (at("text") || at_message("content") || at_message("reasoning") ||
                              at_message("reasoning_content"))) {
        facts.has_text = true;
      }
    }
    text_bytes_ = 0;
    begin_value();
    return true;
  }
  bool on_number_part(json::string_view, ErrorCode&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, ErrorCode&) {
    begin_value();
    if (value >= 0) take_number(value);
    return true;
  }
  bool on_uint64(std::uint64_t, json::string_view, ErrorCode&) { return plain_value(); }
  bool on_double(double, json::string_view, ErrorCode&) { return plain_value(); }
  bool on_bool(bool, ErrorCode&) { return plain_value(); }
  bool on_null(ErrorCode&) { return true; }
  bool on_comment_part(json::string_view, ErrorCode&) { return true; }
  bool on_comment(json::string_view, ErrorCode&) { return true; }

 private:
  struct Level {
    bool array = false;
    std::string key;
  };

  bool leave() {
    path_.pop_back();
    return true;
  }
  bool plain_value() {
    begin_value();
    return true;
  }

  /// A value that is not null begins at the present path.
  void begin_value() {
    if (path_.size() == 1 && path_[0].key == "error") facts.has_error = true;
    if (path_.size() == 1 && path_[0].key == "usage") facts.usage = Usage{};
    if (path_.size() == 2 && path_[0].key == "choices" && path_[1].array) facts.has_choices = true;
  }

  /// choices[i].KEY…
  [[nodiscard]] bool in_choice() const {
    return path_.size() >= 3 && path_[0].key == "choices" && path_[1].array;
  }
  [[nodiscard]] bool at(std::string_view key) const {
    return path_.size() == 3 && path_[2].key == key;
  }
  /// choices[i].message.KEY, choices[i].delta.KEY
  [[nodiscard]] bool at_message(std::string_view key) const {
    return path_.size() == 4 && (path_[2].key == "delta" || path_[2].key == "message") &&
           path_[3].key == key;
  }

  void take_number(std::int64_t value) {
    if (!facts.usage || path_.size() < 2 || path_[0].key != "usage") return;
    if (path_.size() == 2 && path_[1].key == "prompt_tokens") facts.usage->prompt_tokens = value;
    if (path_.size() == 2 && path_[1].key == "completion_tokens") {
      facts.usage->completion_tokens = value;
    }
    if (path_.size() == 3 && path_[1].key == "prompt_tokens_details" &&
        path_[2].key == "cached_tokens") {
      facts.usage->cached_tokens = value;
    }
  }

  std::vector<Level> path_;
  std::string key_;
  std::size_t text_bytes_ = 0;
};

const json::value* member(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

std::string words_of(const json::value& body) {
  if (const auto* text = body.if_string()) return std::string(*text);
  for (const char* key : {"error", "message", "detail"}) {
    const auto* found = member(body, key);
    if (found == nullptr || found->is_null()) continue;
    if (const auto* message = member(*found, "message")) return words_of(*message);
    return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
  }
  return json::serialize(body);
}

}  // namespace

struct CompletionJson::Impl {
  json::basic_parser<Handler> parser{json::parse_options{}};
};

CompletionJson::CompletionJson() : impl_(std::make_unique<Impl>()) {}
CompletionJson::~CompletionJson() = default;

void CompletionJson::reset() {
  impl_->parser.reset();
  impl_->parser.handler().reset();
}

bool CompletionJson::feed(std::string_view bytes) {
  ErrorCode error;
  const auto used = impl_->parser.write_some(true, bytes.data(), bytes.size(), error);
  if (error) return false;
  return bytes.substr(used).find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool CompletionJson::finish() {
  ErrorCode error;
  impl_->parser.write_some(false, nullptr, 0, error);
  return !error && impl_->parser.done() && impl_->parser.handler().is_object;
}

const CompletionFacts& CompletionJson::facts() const { return impl_->parser.handler().facts; }

std::string error_words(std::string_view body) {
  ErrorCode error;
  const auto parsed = json::parse(body, error);
  return formats::one_line(error ? std::string(body) : words_of(parsed), kMostErrorCharacters);
}

}  // namespace memprof::load
