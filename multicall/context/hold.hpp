#pragma once

#include <string>

#include "core/lane/record.hpp"

namespace onelane::multicall {

/// "on hold by anna for 3m12s (disk swap)", printable; with_remedy says what ends it, before what a
/// narrow terminal cuts off.
[[nodiscard]] std::string hold_words(const lane::Header& header, bool with_remedy = false);

}  // namespace onelane::multicall
