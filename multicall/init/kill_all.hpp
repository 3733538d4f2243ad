#pragma once

#include <optional>
#include <string>

#include "multicall/init/adopt.hpp"

namespace onelane::multicall::setup {

/// The text of onelane.toml with `make kill-all` as a call that passes; adds a line to `report` if
/// that is a change. Nothing if the user has a [tools.make] without it: then the report says what
/// to add.
[[nodiscard]] std::optional<std::string> with_kill_all(const std::string& text, InitReport& report);

/// Renews the trust in the onelane.toml at `path` after init has changed it from `before`; trusts
/// it for the first time if it `loosens` and init wrote all of it. Otherwise the report leaves it
/// to the user, who has not agreed to what was there before. Throws SystemError.
void keep_trust(const std::string& path, const std::string& before, bool loosens,
                InitReport& report);

}  // namespace onelane::multicall::setup
