#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "multicall/cli/options.hpp"

namespace onelane::multicall {

/// "7d", "3h", "45m", "2w": so long before `now_wall_ms`; or a date "2026-11-01", with or
/// without a time "2026-11-01T12:30", in local time; "all" is 0. Milliseconds since the epoch.
[[nodiscard]] std::optional<std::int64_t> parse_since(std::string_view text,
                                                      std::int64_t now_wall_ms);

/// `--since`, read into `wall_ms`; `what` says of which runs or lines it is.
void add_since(Options& app, std::int64_t& wall_ms, const std::string& what);

}  // namespace onelane::multicall
