#pragma once

#include <optional>
#include <string>

#include "multicall/init/adopt.hpp"

namespace onelane::multicall::setup {

/// onelane.toml with `make kill-all` as a call that passes, and a line about it in `report` when
/// that changes it. Unset where the user has a [tools.make] without it: the report then says what
/// is to be added.
[[nodiscard]] std::optional<std::string> with_kill_all(const std::string& text, InitReport& report);

/// Trusts the onelane.toml at `path` again once init has changed it from `before`, and for the
/// first time where it `loosens` and all of it is init's. Else the report says what is left to the
/// user: no user has agreed to what was there before. Throws SystemError.
void keep_trust(const std::string& path, const std::string& before, bool loosens,
                InitReport& report);

}  // namespace onelane::multicall::setup
