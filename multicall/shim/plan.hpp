#pragma once

#include <signal.h>

#include <cstdint>
#include <string>

#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// What has been decided about a call that runs under supervision: its verdict, its real tool, and
/// the options of `onelane run`.
struct Plan {
  const Call* call = nullptr;  ///< Borrowed.
  tool::Found tool;
  shims::Decision decision;
  project::Project project;
  settings::Settings settings;
  std::string lane_dir;       ///< Directory of the lane; empty: run without a lane.
  bool bounded_wait = false;  ///< Run without the lane if it is not free within GIT_LOCK_WAIT.

  bool no_wait = false;
  bool wait_for_all = false;
  bool limits_only = false;   ///< Does not wait for the lane: supervised and listed like a service.
  int kill_signal = SIGTERM;  ///< The first signal that the tool gets when it is ended.
  std::string label;          ///< The user's name for the run.

  std::uint64_t call_key = 0;  ///< Of a call that may coalesce, for its ticket; 0: none.
  std::string until;           ///< What it gives its lane back at; empty: its end.

  [[nodiscard]] bool is_service() const noexcept {
    return limits_only || decision.cls == shims::Class::Service;
  }
  /// True if the run waits for every descendant of the tool, not just for the tool.
  [[nodiscard]] bool waits_for_all() const noexcept {
    return wait_for_all || settings.wait.value == settings::WaitFor::All;
  }
};

/// Where a call is made: the project's state directory, and the caller's directory and terminal for
/// ticket and record.
struct LanePlace {
  sys::FileDescriptor state;  ///< The project's state directory, which has the journal.
  unsigned file_mode = 0600;  ///< Mode of new files in it.
  std::string directory;      ///< The caller's working directory.
  std::string terminal;       ///< The caller's terminal; empty for none.
};

}  // namespace onelane::multicall
