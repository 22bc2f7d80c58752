#pragma once

#include "http/connection.hpp"
#include "http/credentials.hpp"
#include "http/url.hpp"
#include "load/schedule.hpp"
#include "records/target.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::load {

/// Checks `--extra-body`: a JSON object without what the tool itself decides. The Error is of
/// usage.
Result<void> check_extra_body(const ReplaySpec& replay);

/// `[<prefix>.]<req_id>`: bytes outside `[A-Za-z0-9._-]` percent-encoded, 128 characters at most.
std::string request_id(const ReplaySpec& replay, std::string_view req_id);

/// Writes requests as bytes. The prompt, by far the largest part, is never copied.
class RequestWriter {
 public:
  /// `model` as sent; `salt`: text that no other run has, for --cache-salt.
  RequestWriter(const TargetSpec& target, const ReplaySpec& replay, const http::Url& url,
                const std::vector<http::Header>& headers, const std::string& model,
                std::string salt);

  /// The bytes around the prompt, owned by the request while it is sent.
  struct Bytes {
    std::string front;  ///< head, and the body before the prompt
    std::string back;   ///< the body after it
    [[nodiscard]] http::Connection::Pieces pieces(std::string_view prompt_json) const {
      return {front, prompt_json, back, {}};
    }
  };
  /// `batch`: the number of the batch, for --cache-salt per-group.
  [[nodiscard]] Bytes write(const PreparedRequest& request, std::size_t batch) const;

 private:
  [[nodiscard]] std::string options(const PreparedRequest& request, std::size_t batch) const;

  ReplaySpec replay_;
  bool chat_;
  std::string salt_;
  std::string chat_head_;         // request line and constant header fields
  std::string completions_head_;
  std::string model_json_;
  std::string extra_;             // `,"key":value…` of --extra-body
  std::set<std::string, std::less<>> extra_keys_;  // win over ours: no key is sent twice
};

}  // namespace memprof::load
