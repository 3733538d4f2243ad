#pragma once

#include <vector>

#include "core/guard/limits.hpp"
#include "multicall/run.hpp"

namespace onelane::multicall {

/// The limits of a planned run, with where each was set. Git, calls that may sit in an
/// editor or prompt, services and, unless it is an `onelane run`, whatever reads a terminal
/// have no time limits. `reads_terminal`: standard input was a terminal before the launch.
/// Built-in sizes are cut to what a container may use.
[[nodiscard]] guard::Limits limits_of(const Plan& plan, bool reads_terminal);

/// Memory, processes and reserve alone: what every run under these settings is bound by.
[[nodiscard]] guard::Limits size_limits_of(const settings::Settings& settings);

/// The same limits before there is a run, and what has to be free before one starts, for people:
/// rows of `onelane settings`, sizes cut as above.
[[nodiscard]] std::vector<settings::Row> limits_in_force(const settings::Settings& settings);

}  // namespace onelane::multicall
