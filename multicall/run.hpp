#pragma once

#include <string>
#include <vector>

#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "core/tool/find.hpp"
#include "multicall/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// Everything decided about one call before it is run under supervision.
struct Plan {
  const Call* call = nullptr;
  tool::Found tool;
  shims::Decision decision;
  project::Project project;
  settings::Settings settings;
  std::string lane_dir;       ///< The project's state directory, or git's lane below it.
  bool bounded_wait = false;  ///< Run without the lane when it is not free in time.
  bool no_wait = false;
  bool wait_for_all = false;
};

/// Runs a planned call: waits for the lane (a service does not), launches, supervises,
/// settles, and ends this process as the tool ended. Returns an exit code only when nothing
/// was run. Throws SystemError where the lane cannot be used; nothing has run then either.
[[nodiscard]] int run_planned(const Plan& plan);

}  // namespace onelane::multicall
