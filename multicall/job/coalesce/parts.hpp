#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::coalesce {

/// A piece of `<run id>.out`, and the descriptor that it was written to: 1 or 2.
struct Part {
  int stream = 1;
  std::uint64_t size = 0;
  friend bool operator==(const Part&, const Part&) = default;
};

/// Which stream each piece of an output belongs to: the content of `<run id>.parts`.
class Parts {
 public:
  void add(int stream, std::uint64_t size);
  /// False if there are too many parts to keep.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  [[nodiscard]] const std::vector<Part>& list() const noexcept { return list_; }
  /// One line per part: stream and size.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Part> list_;
  bool is_whole_ = true;
};

/// Reads that text back; nothing if it is malformed.
[[nodiscard]] std::optional<std::vector<Part>> parse_parts(std::string_view text);

}  // namespace onelane::multicall::coalesce
