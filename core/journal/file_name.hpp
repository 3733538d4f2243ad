#pragma once

#include <array>

namespace onelane::journal {

/// "runs.jsonl" for 0, else "runs.jsonl.NUMBER", NUL-terminated.
using FileName = std::array<char, 24>;
[[nodiscard]] FileName file_name(unsigned number) noexcept;

}  // namespace onelane::journal
