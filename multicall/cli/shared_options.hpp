#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "multicall/cli/options.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall {

/// Adds `--color=auto|always|never`, read into `when`.
void add_colour(Options& app, Paint::When& when);

/// Reads "7d", "3h", "45m" or "2w" as that long before `now_wall_ms`; "2026-11-01" or
/// "2026-11-01T12:30" as local time; and "all" as 0. The result is in milliseconds since the epoch;
/// nothing if `text` is none of these.
[[nodiscard]] std::optional<std::int64_t> parse_since(std::string_view text,
                                                      std::int64_t now_wall_ms);

/// Adds `--since`, read into `wall_ms`; `what` names the runs or lines in the help.
void add_since(Options& app, std::int64_t& wall_ms, const std::string& what);

}  // namespace onelane::multicall
