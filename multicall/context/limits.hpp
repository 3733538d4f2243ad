#pragma once

#include <string_view>
#include <vector>

#include "core/guard/limits.hpp"
#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// The limits of a run under these settings, with the place where each was set; limits of time only
/// if it `has_time_limits`. Built-in sizes are reduced to what a container may use.
[[nodiscard]] guard::Limits limits_of(const settings::Settings& settings, bool has_time_limits);

/// The limits for people: rows of `onelane settings`, with sizes reduced as above, and with what
/// must be free before a run starts.
[[nodiscard]] std::vector<settings::Row> limits_in_force(const settings::Settings& settings);

/// The limit whose figure comes from the setting `name`, spelled as in onelane.toml; null if `name`
/// is no limit's.
[[nodiscard]] const guard::LimitRow* limit_named(std::string_view name);

}  // namespace onelane::multicall
