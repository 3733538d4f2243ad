#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/term/paint.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {

/// A ticket for programs: the fields of "ticket" in tests/schema/status.json. The names are stable
/// and every field is always present (null if unknown). Text has no control characters but may hold
/// bytes that are not UTF-8: use print_json().
[[nodiscard]] nlohmann::json json_of(const TicketView& ticket);

/// A place kept for a killed call: "id", "user", "command", "priority", "rejoin_ms".
[[nodiscard]] nlohmann::json json_of(const lane::LeftPlace& place);

/// A lane: holder, pipeline, queue, services, left, kept, on_hold, hold, torn, holder_unknown,
/// gate.
[[nodiscard]] nlohmann::json json_of(const LaneView& view);

/// "by", "since_wall_ms", "reason"; null without a hold.
[[nodiscard]] nlohmann::json json_of(const std::optional<HoldView>& hold);

/// A ticket for people, one line without `\n`: "make build  (pid 4711, run …, user ci, for 48s)".
/// Safe for a terminal.
[[nodiscard]] std::string line_of(const TicketView& ticket, const Paint& paint);

/// "make build  (run …, user ci, may rejoin for 1m48s)", safe for a terminal.
[[nodiscard]] std::string line_of(const lane::LeftPlace& place, const Paint& paint);

/// What else is known of a run, on one line without `\n`: usual duration, processes, memory, start
/// time. Empty for a ticket that has not started.
[[nodiscard]] std::string figures_of(const TicketView& ticket, const Paint& paint);

/// Holder, its pipeline, hold, queue, services and kept processes of a lane for people, one per
/// line.
[[nodiscard]] std::string text_of(const LaneView& view, const Paint& paint);

}  // namespace onelane::multicall
