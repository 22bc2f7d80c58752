#include "report/content_policy.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace memprof::report {
namespace {

std::string hash_source(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), SHA256_DIGEST_LENGTH);
  return " 'sha256-" + std::string(reinterpret_cast<const char*>(base64.data())) + "'";
}

}  // namespace

std::string content_policy(const std::vector<std::string_view>& styles,
                           const std::vector<std::string_view>& scripts) {
  std::string policy = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src";
  for (const auto style : styles) policy += hash_source(style);
  policy += "; script-src";
  for (const auto script : scripts) policy += hash_source(script);
  return policy;
}

}  // namespace memprof::report
