#pragma once

#include <optional>
#include <string_view>

namespace onelane::journal {

/// A line of the journal without its `context`, as views into it: `before` and `behind` together
/// are a JSON object that lacks its closing brace.
struct StoredLine {
  std::string_view before;
  std::string_view behind;
};

/// The line, where its bytes are those that to_line writes of the record that parse reads from it.
/// Nothing where they are not, or where that is not told at once: text beyond ASCII, processes,
/// a card. Reads each byte once; never throws.
[[nodiscard]] std::optional<StoredLine> as_stored(std::string_view line) noexcept;

}  // namespace onelane::journal
