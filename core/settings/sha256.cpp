#include "core/settings/sha256.hpp"

#include <array>

#include "core/sys/hex.hpp"

namespace onelane::settings {

Sha256::Sha256() {
  ::SHA256Init(&context_);
}

void Sha256::add(std::string_view bytes) {
  ::SHA256Update(&context_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string Sha256::hex() const {
  SHA2_CTX context = context_;  // a copy: SHA256Final finishes it
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256Final(digest.data(), &context);
  return sys::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace onelane::settings
