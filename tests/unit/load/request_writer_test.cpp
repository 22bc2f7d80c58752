#include "load/request_writer.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace memprof::load {
namespace {

namespace json = boost::json;

struct Sent {
  std::string head;
  std::string body;
  json::object object;
};

PreparedRequest prepared(bool token_ids = false) {
  WorkloadRequest request;
  request.req_id = "r 1";
  request.output_len = 64;
  if (token_ids) {
    request.prompt_token_ids = std::vector<std::int64_t>{1, 2};
  } else {
    request.prompt = "say \"x\"";
  }
  return prepare(std::move(request));
}

/// Top-level keys of a flat enough JSON text that occur twice.
bool repeats_a_key(const std::string& body) {
  json::parse_options strict;
  std::size_t keys = 0;
  int depth = 0;
  bool text = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\\') {
      ++i;
    } else if (body[i] == '"') {
      text = !text;
    } else if (!text) {
      depth += body[i] == '{' || body[i] == '[' ? 1 : body[i] == '}' || body[i] == ']' ? -1 : 0;
      keys += body[i] == ':' && depth == 1 ? 1 : 0;
    }
  }
  return keys != json::parse(body, {}, strict).as_object().size();
}

Sent send(const TargetSpec& target, const ReplaySpec& replay, bool token_ids = false,
          std::size_t batch = 0, const std::vector<http::Header>& headers = {}) {
  const auto request = prepared(token_ids);
  const auto url = *http::parse_url("http://h:8000/v1");
  const RequestWriter writer(target, replay, url, headers, "tiny \"q\"", "salt");
  const auto bytes = writer.write(request, batch);
  std::string all;
  for (const auto piece : bytes.pieces(request.prompt_json)) all += piece;
  const auto end = all.find("\r\n\r\n") + 4;
  Sent sent{all.substr(0, end), all.substr(end), {}};
  sent.object = json::parse(sent.body).as_object();
  EXPECT_NE(sent.head.find("Content-Length: " + std::to_string(sent.body.size()) + "\r\n"),
            std::string::npos);
  EXPECT_FALSE(repeats_a_key(sent.body)) << sent.body;
  return sent;
}

TEST(RequestWriter, TheBodyIsTheOriginalScripts) {
  const auto sent = send({}, {});
  EXPECT_EQ(json::value(sent.object),
            json::parse(R"({"model":"tiny \"q\"","messages":[{"role":"user",)"
                        R"("content":"say \"x\""}],"max_tokens":64,"temperature":0})"));
  EXPECT_TRUE(sent.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\nHost: h:8000\r\n"));
  EXPECT_NE(sent.head.find("\r\nX-Request-Id: r%201\r\n"), std::string::npos);
  EXPECT_NE(sent.head.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
}

TEST(RequestWriter, CompletionsTakeThePromptItself) {
  TargetSpec target;
  target.endpoint = Endpoint::completions;
  const auto sent = send(target, {});
  EXPECT_EQ(sent.object.at("prompt"), "say \"x\"");
  EXPECT_FALSE(sent.object.contains("messages"));
  EXPECT_TRUE(sent.head.starts_with("POST /v1/completions HTTP/1.1\r\n"));
}

TEST(RequestWriter, TokenIdsGoToCompletionsWhateverTheEndpoint) {
  const auto sent = send({}, {}, true);
  EXPECT_EQ(sent.object.at("prompt"), json::parse("[1,2]"));
  EXPECT_TRUE(sent.head.starts_with("POST /v1/completions HTTP/1.1\r\n"));
}

TEST(RequestWriter, StreamsAskForUsage) {
  ReplaySpec replay;
  replay.stream = true;
  const auto sent = send({}, replay);
  EXPECT_EQ(sent.object.at("stream"), true);
  EXPECT_EQ(sent.object.at("stream_options"), json::parse(R"({"include_usage":true})"));
}

TEST(RequestWriter, ExactOutput) {
  ReplaySpec replay;
  replay.exact_output = true;
  const auto sent = send({}, replay);
  EXPECT_EQ(sent.object.at("min_tokens"), 64);
  EXPECT_EQ(sent.object.at("max_tokens"), 64);
  EXPECT_EQ(sent.object.at("ignore_eos"), true);
}

TEST(RequestWriter, SaltKinds) {
  const auto salt = [](const std::string& kind, std::size_t batch) {
    ReplaySpec replay;
    replay.cache_salt = kind;
    const auto sent = send({}, replay, false, batch);
    const auto* found = sent.object.if_contains("cache_salt");
    return found ? std::string(found->as_string()) : "absent";
  };
  EXPECT_EQ(salt("none", 0), "absent");
  EXPECT_EQ(salt("per-run", 0), "salt");
  EXPECT_EQ(salt("per-run", 3), "salt");
  EXPECT_EQ(salt("per-group", 0), "salt-0");
  EXPECT_EQ(salt("per-group", 3), "salt-3");
  EXPECT_EQ(salt("my \"own\"", 3), "my \"own\"");
}

TEST(RequestWriter, ExtraBodyWins) {
  ReplaySpec replay;
  replay.stream = replay.exact_output = true;
  replay.cache_salt = "per-run";
  replay.extra_body = R"({"max_tokens":5,"temperature":0.5,"stream_options":{"a":[1,{"b":null}]},)"
                      R"("min_tokens":1,"ignore_eos":false,"cache_salt":"mine","top_p":0.9,)"
                      R"("k \"y":"v\n"})";
  ASSERT_FALSE(check_extra_body(replay).has_error());
  const auto sent = send({}, replay);
  const auto extra = json::parse(*replay.extra_body).as_object();
  for (const auto& [key, value] : extra) EXPECT_EQ(sent.object.at(key), value) << key;
  EXPECT_EQ(sent.object.at("stream"), true);
  replay.extra_body = "{}";
  EXPECT_EQ(send({}, replay).object.at("max_tokens"), 64);
}

TEST(RequestWriter, HeadersAreSent) {
  const auto sent = send({}, {}, false, 0, {{"Authorization", "Bearer k"}, {"X-A", "b c"}});
  EXPECT_NE(sent.head.find("\r\nAuthorization: Bearer k\r\nX-A: b c\r\n"), std::string::npos);
}

TEST(CheckExtraBody, RefusesWhatTheToolDecides) {
  const auto refused = [](const std::string& text) {
    ReplaySpec replay;
    replay.extra_body = text;
    const auto checked = check_extra_body(replay);
    if (checked.has_error()) {
      EXPECT_EQ(checked.error().code, ExitCode::usage);
    }
    return checked.has_error() ? checked.error().message : "";
  };
  EXPECT_EQ(refused("{\"top_k\":1}"), "");
  for (const char* key : {"model", "messages", "prompt", "stream"}) {
    EXPECT_EQ(refused("{\"" + std::string(key) + "\":1}"),
              "--extra-body: must not hold " + std::string(key));
  }
  for (const char* bad : {"", "[]", "1", "{", "{\"a\":1}x", "null"}) {
    EXPECT_TRUE(refused(bad).starts_with("--extra-body: must be a JSON object")) << bad;
  }
  EXPECT_FALSE(check_extra_body({}).has_error());
}

TEST(RequestId, OtherBytesArePercentEncodedAnd128CharactersAreLeft) {
  EXPECT_EQ(request_id({}, "r_008c_8192i-64.0"), "r_008c_8192i-64.0");
  EXPECT_EQ(request_id({}, "a b/\r\n\xC3\xA9%"), "a%20b%2F%0D%0A%C3%A9%25");
  ReplaySpec replay;
  replay.request_id_prefix = "run 1";
  EXPECT_EQ(request_id(replay, "a"), "run%201.a");
  EXPECT_EQ(request_id({}, std::string(200, 'a')), std::string(128, 'a'));
  EXPECT_EQ(request_id({}, std::string(127, 'a') + " b"), std::string(127, 'a'));
}

}  // namespace
}  // namespace memprof::load
