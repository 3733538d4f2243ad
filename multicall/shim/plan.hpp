#pragma once

#include <signal.h>

#include <cstdint>
#include <string>

#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// What has been decided about a call that is run under supervision: what its verdict says, its
/// tool, and the options of `onelane run`.
struct Plan {
  const Call* call = nullptr;  ///< Borrowed.
  tool::Found tool;
  shims::Decision decision;
  project::Project project;
  settings::Settings settings;
  std::string lane_dir;       ///< The project's state directory, or git's lane below it.
  bool bounded_wait = false;  ///< Run without the lane when it is not free in time.

  bool no_wait = false;
  bool wait_for_all = false;
  bool limits_only = false;   ///< No queue and no lane: supervised and listed as a service is.
  int kill_signal = SIGTERM;  ///< The first one that the tool gets when it is ended.
  std::string label;          ///< What the user calls the run.

  std::uint64_t call_key = 0;  ///< Of a call that may coalesce, as its ticket has it; 0: none.
  std::string until;           ///< When it gives its lane back before its end; empty: it does not.

  [[nodiscard]] bool is_service() const noexcept {
    return limits_only || decision.cls == shims::Class::Service;
  }
  /// Every descendant of the tool is waited for, not the tool alone.
  [[nodiscard]] bool waits_for_all() const noexcept {
    return wait_for_all || settings.wait.value == settings::WaitFor::All;
  }
};

}  // namespace onelane::multicall
