#include "http/url.hpp"

#include <gtest/gtest.h>

namespace memprof::http {
namespace {

/// `tls host port path`, or the message.
std::string parsed(std::string_view text) {
  const auto url = parse_url(text);
  if (url.has_error()) {
    EXPECT_EQ(url.error().code, ExitCode::usage) << text;
    EXPECT_TRUE(url.error().message.starts_with("--base-url: the URL ")) << url.error().message;
    EXPECT_NE(url.error().message.find("http://127.0.0.1:8000/v1"), std::string::npos);
    return "refused";
  }
  const std::string kind = url->tls ? "tls " : "tcp ";
  return kind + url->host + " " + std::to_string(url->port) + " " + url->path;
}

TEST(Url, Parts) {
  EXPECT_EQ(parsed("http://127.0.0.1:8000/v1"), "tcp 127.0.0.1 8000 /v1");
  EXPECT_EQ(parsed("http://127.0.0.1:8000/v1///"), "tcp 127.0.0.1 8000 /v1");
  EXPECT_EQ(parsed("https://gpu7/a/b%20c/v1"), "tls gpu7 443 /a/b%20c/v1");
  EXPECT_EQ(parsed("http://gpu7"), "tcp gpu7 80 ");
  EXPECT_EQ(parsed("http://gpu7/"), "tcp gpu7 80 ");
  EXPECT_EQ(parsed("http://gpu7:/v1"), "tcp gpu7 80 /v1");
  EXPECT_EQ(parsed("http://[::1]:8000/v1"), "tcp ::1 8000 /v1");
  EXPECT_EQ(parsed("http://h:65535"), "tcp h 65535 ");
  EXPECT_EQ(parsed("HTTP://h/v1"), "tcp h 80 /v1") << "a scheme has no case";
}

TEST(Url, WhatIsRefused) {
  for (const char* text :
       {"", "127.0.0.1:8000", "localhost", "/v1", "ftp://h/", "ws://h", "http://", "http:///v1",
        "http://:80/", "http://h:0", "http://h:65536", "http://h:99999", "http://h:port",
        "http://h:-1", "http://h/v1?x=1", "http://h/v1#f", "http://h /v1", "http://h/v1 ",
        "http://h/v1\r\nX: y", "http://[::1/v1", "http://[::zz]/", "http://h%0d%0aX/v1",
        "http://127.0.0.1%00x/v1"}) {
    EXPECT_EQ(parsed(text), "refused") << text;
  }
}

TEST(Url, UserAndPasswordAreRefusedAndNotRepeated) {
  for (const char* text : {"http://me:hunter2@h/v1", "https://hunter2@h", "http://hunter2:@h",
                           "http://me:hunter2@h:x/v1", "ftp://me:hunter2@h", "me:hunter2@h/v1"}) {
    const auto url = parse_url(text);
    ASSERT_TRUE(url.has_error()) << text;
    EXPECT_EQ(url.error().message.find("hunter2"), std::string::npos) << url.error().message;
  }
}

TEST(Url, TheFlagIsNamed) {
  EXPECT_TRUE(parse_url("x", "--metrics-url").error().message.starts_with("--metrics-url: "));
}

TEST(Url, Written) {
  const auto written = [](std::string_view text) {
    const auto url = *parse_url(text);
    return url.authority() + " " + url.to_string() + " " + url.target("/models");
  };
  EXPECT_EQ(written("http://h:80/v1/"), "h http://h/v1 /v1/models");
  EXPECT_EQ(written("https://h:443"), "h https://h /models");
  EXPECT_EQ(written("https://h:80"), "h:80 https://h:80 /models");
  EXPECT_EQ(written("http://[::1]:8000/v1"), "[::1]:8000 http://[::1]:8000/v1 /v1/models");
  EXPECT_EQ(parse_url("http://h")->target(""), "/");
}

TEST(Url, Loopback) {
  for (const char* text : {"http://127.0.0.1", "http://localhost:1", "http://[::1]/v1",
                           "http://127.1.2.3", "http://LOCALHOST"}) {
    EXPECT_TRUE(parse_url(text)->is_loopback()) << text;
  }
  for (const char* text : {"http://128.0.0.1", "http://gpu7", "http://[::2]",
                           "http://127.example.com", "http://localhost.example.com"}) {
    EXPECT_FALSE(parse_url(text)->is_loopback()) << text;
  }
}

}  // namespace
}  // namespace memprof::http
