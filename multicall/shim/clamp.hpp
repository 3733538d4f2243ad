#pragma once

#include <sched.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/process/launch.hpp"
#include "core/settings/settings.hpp"
#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// What CLAMP, MAX_WORKERS and CPU_AFFINITY make of one call. Empty when they say nothing.
struct ClampPlan {
  std::vector<std::pair<std::string, std::string>> environment;  ///< For ToolEnvironment.
  std::optional<std::vector<std::string>> args;  ///< In place of call.args, as many of them.
  std::vector<std::string> changes;              ///< "-j16 -> -j4"
  std::optional<cpu_set_t> processors;           ///< For process::Scheduling::affinity.
  /// One line for the user where something of his own was changed; empty otherwise.
  std::string notice;
};

/// Plans. Reads nothing when no bound is set; else at most the package.json or the config file
/// of vitest. A call that passes is not clamped.
[[nodiscard]] ClampPlan plan_clamp(const Call& call, const settings::Settings& settings,
                                   shims::Class cls);

/// Puts `plan.args` behind argv[0] of what make_argv has made. Points into `plan`.
void use_clamped_args(ClampPlan& plan, std::vector<char*>& argv);

/// How the tool is scheduled: NICE, IONICE and the processors of `plan`, which it borrows.
[[nodiscard]] process::Scheduling scheduling_of(const settings::Settings& settings,
                                                const ClampPlan& plan);

/// The user's own words without control characters.
[[nodiscard]] std::string shown(std::string text);

/// The setting that bounds `variable`, and where it is: "max_workers, /p/onelane.toml:3".
[[nodiscard]] std::string clamp_source(const settings::Settings& settings,
                                       const std::string& variable);

}  // namespace onelane::multicall
