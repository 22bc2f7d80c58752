#include "report/content_policy.hpp"

#include <gtest/gtest.h>

namespace memprof::report {
namespace {

TEST(ContentPolicy, NamesEachTextByItsHash) {
  // printf %s 'alert(1)' | openssl dgst -sha256 -binary | base64
  const auto policy = content_policy({""}, {"alert(1)"});
  EXPECT_EQ(policy,
            "default-src 'none'; base-uri 'none'; form-action 'none'; "
            "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
            "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
}

}  // namespace
}  // namespace memprof::report
