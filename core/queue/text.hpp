#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/queue/queue.hpp"

namespace onelane::queue {

/// Longest text of a queue: anything longer is neither written nor read.
inline constexpr std::size_t kLongestText = std::size_t{4} << 20;

/// The queue as one JSON object and `\n`. Identical environments are written once; a string that is
/// not UTF-8 becomes {"hex": …}, so that every byte survives. Throws std::bad_alloc.
[[nodiscard]] std::string to_text(const Queue& queue);

/// Reads it back. nullopt when any part is not as to_text writes it: torn, too long, too deep, of
/// wrong types, with a duplicate id or a NUL in an argument. Fields that a newer onelane adds are
/// ignored. Throws only std::bad_alloc.
[[nodiscard]] std::optional<Queue> parse(std::string_view text);

}  // namespace onelane::queue
