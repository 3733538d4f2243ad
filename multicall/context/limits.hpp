#pragma once

#include <string_view>
#include <vector>

#include "core/guard/limits.hpp"
#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// The limits of a run under these settings, with where each was set; those of time where it
/// `has_time_limits`. Built-in sizes are cut to what a container may use.
[[nodiscard]] guard::Limits limits_of(const settings::Settings& settings, bool has_time_limits);

/// The same limits before there is a run, and what has to be free before one starts, for people:
/// rows of `onelane settings`, sizes cut as above.
[[nodiscard]] std::vector<settings::Row> limits_in_force(const settings::Settings& settings);

/// The limit that the setting `name` (as in onelane.toml) gives a figure; nullptr for none.
[[nodiscard]] const guard::LimitRow* limit_named(std::string_view name);

}  // namespace onelane::multicall
