#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/journal/record.hpp"

namespace onelane::multicall {

/// "2026-11-21 15:52" in local time; "-" for 0.
[[nodiscard]] std::string time_text(std::int64_t wall_ms);

/// "0.4s", "3m12s", "2h05m"; "-" for nothing.
[[nodiscard]] std::string time_words(std::int64_t ms);

/// size_words(); "-" for nothing.
[[nodiscard]] std::string memory_words(std::uint64_t kb);

/// `text` on one line, fit for a terminal.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t limit);

/// What a kill card says, fit for a terminal; empty texts for a record without one.
struct Advice {
  std::string sentence;  ///< "used 1132 MB of 1024 MB (MEMORY_LIMIT_MB) after 12s"
  std::string place;     ///< Where the limit was set.
  std::string change;    ///< The line that would allow more.
};
[[nodiscard]] Advice advice_of(const journal::Record& record);

}  // namespace onelane::multicall
