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

/// What CLAMP, MAX_WORKERS and CPU_AFFINITY change about one call. Empty if nothing.
struct ClampPlan {
  std::vector<std::pair<std::string, std::string>> environment;  ///< For ToolEnvironment.
  std::optional<std::vector<std::string>> args;  ///< Replaces call.args; has the same size.
  std::vector<std::string> changes;              ///< "-j16 -> -j4"
  std::optional<cpu_set_t> processors;           ///< For process::Scheduling::affinity.
  /// One line for the user if something that they asked for was changed; else empty.
  std::string notice;
};

/// Makes the plan. Reads no file if no bound is set; else at most package.json or the config file
/// of vitest. A call that passes is not clamped.
[[nodiscard]] ClampPlan plan_clamp(const Call& call, const settings::Settings& settings,
                                   shims::Class cls);

/// Replaces the arguments after argv[0] with `plan.args`. `argv` then points into `plan`.
void use_clamped_args(ClampPlan& plan, std::vector<char*>& argv);

/// How the tool is scheduled: NICE, IONICE and the processors of `plan`, which it borrows.
[[nodiscard]] process::Scheduling scheduling_of(const settings::Settings& settings,
                                                const ClampPlan& plan);

/// `text` with '?' in place of control characters.
[[nodiscard]] std::string shown(std::string text);

/// The setting that bounds `variable`, and its place: "max_workers, /p/onelane.toml:3".
[[nodiscard]] std::string clamp_source(const settings::Settings& settings,
                                       const std::string& variable);

}  // namespace onelane::multicall
