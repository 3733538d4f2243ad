#pragma once

#include <optional>
#include <string>

#include "core/settings/ready.hpp"
#include "core/settings/settings.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// When `call` gives its lane back before its end, by the first item of RELEASE_ON_READY that names
/// it; nothing if none does.
[[nodiscard]] std::optional<settings::Ready> ready_rule_for(const Call& call,
                                                            const settings::Settings& settings);

/// "port 3000 listens" or "a line has \"ready in\""; printable and short.
[[nodiscard]] std::string words_of(const settings::Ready& ready);

}  // namespace onelane::multicall
