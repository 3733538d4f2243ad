#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace onelane::sys {

/// Start value and multiplier of FNV-1a (Fowler, Noll and Vo).
template <std::unsigned_integral Word>
struct FnvParameters;
template <>
struct FnvParameters<std::uint32_t> {
  static constexpr std::uint32_t kBasis = 2166136261U;
  static constexpr std::uint32_t kPrime = 16777619U;
};
template <>
struct FnvParameters<std::uint64_t> {
  static constexpr std::uint64_t kBasis = 14695981039346656037U;
  static constexpr std::uint64_t kPrime = 1099511628211U;
};

/// FNV-1a of `bytes`, in 32 or 64 bits; pass the result on as `hash` to add more bytes to it. For
/// checksums and keys that are not worth forging: collisions are easy to make.
template <std::unsigned_integral Word = std::uint64_t>
[[nodiscard]] constexpr Word fnv1a(std::string_view bytes,
                                   Word hash = FnvParameters<Word>::kBasis) noexcept {
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * FnvParameters<Word>::kPrime;
  }
  return hash;
}

/// A checksum of `bytes`, against torn writes: like FNV-1a, but by eight bytes at a time, since a
/// run writes and reads some kilobytes of them.
[[nodiscard]] inline std::uint32_t checksum_of(std::string_view bytes) noexcept {
  std::uint64_t hash = FnvParameters<std::uint64_t>::kBasis;
  const auto add = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * FnvParameters<std::uint64_t>::kPrime;
    hash ^= hash >> 32U;  // else the upper bits of a word would never reach the lower ones
  };
  std::uint64_t word = 0;
  for (; bytes.size() >= sizeof word; bytes.remove_prefix(sizeof word)) {
    std::memcpy(&word, bytes.data(), sizeof word);
    add(word);
  }
  word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  add(word);
  return static_cast<std::uint32_t>(hash);
}

/// The bytes of an object, for the above. It must have no padding, whose bytes are undefined.
template <class Object>
[[nodiscard]] std::string_view bytes_of(const Object& object) noexcept {
  return {reinterpret_cast<const char*>(&object), sizeof object};
}

}  // namespace onelane::sys
