#pragma once

#include <string>

#include "core/lane/record.hpp"

namespace onelane::multicall {

/// "on hold by anna for 3m12s (disk swap)", printable. `with_remedy` adds how to end it, early in
/// the text, so that a narrow terminal does not cut it off.
[[nodiscard]] std::string hold_words(const lane::Header& header, bool with_remedy = false);

}  // namespace onelane::multicall
