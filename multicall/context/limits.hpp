#pragma once

#include <vector>

#include "core/guard/limits.hpp"
#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// The limits of a run under these settings, with where each was set; those of time where it
/// `has_time_limits`. Built-in sizes are cut to what a container may use.
[[nodiscard]] guard::Limits limits_of(const settings::Settings& settings, bool has_time_limits);

/// Memory, processes and reserve alone: what every run under these settings is bound by.
[[nodiscard]] guard::Limits size_limits_of(const settings::Settings& settings);

/// The same limits before there is a run, and what has to be free before one starts, for people:
/// rows of `onelane settings`, sizes cut as above.
[[nodiscard]] std::vector<settings::Row> limits_in_force(const settings::Settings& settings);

}  // namespace onelane::multicall
