#include "http/credentials.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace memprof::http {
namespace {

class Credentials : public ::testing::Test {
 protected:
  Credentials() : folder_(std::filesystem::temp_directory_path() /
                          ("memprof_credentials_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    ::unsetenv("OPENAI_API_KEY");
    ::unsetenv("VLLM_API_KEY");
  }
  ~Credentials() override {
    ::unsetenv("OPENAI_API_KEY");
    ::unsetenv("VLLM_API_KEY");
    std::filesystem::remove_all(folder_);
  }

  std::string file(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  void key_file(const std::string& text) { target_.api_key_file = file("key", text); }
  void header_file(const std::string& text) { target_.header_file = file("headers", text); }

  /// `Name: value|`…, or `exit N: message`.
  std::string headers() {
    const auto read = read_headers(target_);
    if (read.has_error()) {
      EXPECT_EQ(read.error().message.find("secret"), std::string::npos) << read.error().message;
      return "exit " + std::to_string(static_cast<int>(read.error().code)) + ": " +
             read.error().message;
    }
    std::string out;
    for (const auto& header : *read) out += header.name + ": " + header.value + "|";
    return out;
  }

  std::filesystem::path folder_;
  TargetSpec target_;
};

TEST_F(Credentials, NoKeyNoHeader) {
  EXPECT_EQ(headers(), "");
  ::setenv("OPENAI_API_KEY", "", 1);
  EXPECT_EQ(headers(), "");
}

TEST_F(Credentials, TheFileWinsThenOpenaiThenVllm) {
  ::setenv("VLLM_API_KEY", "v", 1);
  EXPECT_EQ(headers(), "Authorization: Bearer v|");
  ::setenv("OPENAI_API_KEY", "o", 1);
  EXPECT_EQ(headers(), "Authorization: Bearer o|");
  ::setenv("OPENAI_API_KEY", "", 1);
  EXPECT_EQ(headers(), "Authorization: Bearer v|");
  key_file(" f \r\n");
  EXPECT_EQ(headers(), "Authorization: Bearer f|");
}

TEST_F(Credentials, BadKeysAreNotRepeated) {
  key_file("");
  EXPECT_EQ(headers().substr(0, 22), "exit 2: --api-key-file");
  key_file("secret\r\nX: y");
  EXPECT_EQ(headers(), "exit 2: the API key holds characters that a header cannot carry");
  target_.api_key_file.reset();
  ::setenv("OPENAI_API_KEY", "secret\nsecret", 1);
  EXPECT_EQ(headers(), "exit 2: the API key holds characters that a header cannot carry");
}

TEST_F(Credentials, MissingFilesAreTheEnvironments) {
  target_.api_key_file = folder_ / "none";
  EXPECT_EQ(headers().substr(0, 7), "exit 3:");
  target_.api_key_file.reset();
  target_.header_file = folder_ / "none";
  EXPECT_EQ(headers().substr(0, 7), "exit 3:");
}

TEST_F(Credentials, HeaderLines) {
  header_file("X-A: 1\r\n\r\n  X-B:  two  words \nX-C:\nx-d: a:b\n");
  EXPECT_EQ(headers(), "X-A: 1|X-B: two  words|X-C: |x-d: a:b|");
}

TEST_F(Credentials, BadHeaderLinesNameTheirPlaceOnly) {
  const auto refused = [&](const std::string& text, const std::string& why) {
    header_file(text);
    const auto message = headers();
    EXPECT_TRUE(message.starts_with("exit 2: --header-file: ")) << message;
    EXPECT_TRUE(message.ends_with(why)) << message;
  };
  refused("X: 1\nsecret\n", "headers:2: must be `Name: value`");
  refused("bad name: secret\n", "headers:1: must be `Name: value`");
  refused(": secret\n", "headers:1: must be `Name: value`");
  refused("X: sec\x01ret secret\n", "headers:1: the value holds control characters");
  refused("X: secret\rY: z\n", "headers:1: the value holds control characters");
  for (const char* name : {"Content-Length", "content-type", "HOST", "Transfer-Encoding",
                           "Connection", "X-Request-Id"}) {
    refused(std::string(name) + ": secret\n", std::string(name) + " is set by the tool");
  }
}

TEST_F(Credentials, OneAuthorizationAtMost) {
  ::setenv("OPENAI_API_KEY", "o", 1);
  header_file("authorization: Basic abc\n");
  EXPECT_EQ(headers(), "authorization: Basic abc|") << "the more deliberate of the two";
}

}  // namespace
}  // namespace memprof::http
