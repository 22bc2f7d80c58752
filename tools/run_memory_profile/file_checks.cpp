#include "file_checks.hpp"

#include "files/document.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <filesystem>
#include <memory>

namespace memprof::profile {
namespace {

constexpr std::int64_t kMostBytesInHurry = 256 << 20;

/// Lower-case hex; none when the file cannot be read.
std::optional<std::string> sha256(const std::string& path) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  const auto add = [&](std::string_view bytes) {
    EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  };
  const auto read = files::read_in_pieces(path, files::Source::regular_file, add);
  if (read.has_error()) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace

FileCheck check_file(const std::filesystem::path& path, bool interrupted) {
  FileCheck check;
  check.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  if (!interrupted || check.bytes <= kMostBytesInHurry) check.sha256 = sha256(path);
  return check;
}

std::map<std::string, FileCheck> check_files(const RunFolder& folder, bool interrupted) {
  std::map<std::string, FileCheck> checks;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.is_symlink() || !entry.is_regular_file()) continue;
    const auto name = entry.path().lexically_relative(folder.path()).string();
    if (name == "manifest.json") continue;
    checks.emplace(name, check_file(entry.path(), interrupted));
  }
  return checks;
}

}  // namespace memprof::profile
