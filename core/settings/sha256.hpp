#pragma once

#include <sha2.h>
#include <sys/types.h>

#include <string>
#include <string_view>

namespace onelane::settings {

/// SHA-256 (FIPS 180-4) of data that is added piece by piece; wraps libmd.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// Digest of all data added so far, as 64 lower-case hexadecimal digits; more may be added.
  [[nodiscard]] std::string hex() const;

 private:
  SHA2_CTX context_{};
};

/// Digest of `bytes`, as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace onelane::settings
