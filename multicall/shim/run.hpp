#pragma once

#include <signal.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "core/project/project.hpp"
#include "core/settings/ready.hpp"
#include "core/settings/settings.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// Everything decided about one call before it is run under supervision.
struct Plan {
  const Call* call = nullptr;
  tool::Found tool;
  shims::Decision decision;
  project::Project project;
  settings::Settings settings;
  std::string lane_dir;        ///< The project's state directory, or git's lane below it.
  std::uint64_t call_key = 0;  ///< Of a call that may coalesce (coalesce/call_key.hpp); 0: none.
  bool bounded_wait = false;   ///< Run without the lane when it is not free in time.
  bool no_wait = false;
  bool wait_for_all = false;

  /// Argument vectors that run one after the other in place of the call's own, with one ticket,
  /// all of them whatever they end with; the worst one's end is the run's. argv[0] of the call
  /// stands for theirs. Empty: the call itself. Needs `wait_for_all`.
  std::vector<std::vector<std::string>> commands;
  int nothing_code = 0;  ///< With which one of them says that it had nothing to do; 0: none.
  unsigned retries = 0;  ///< Further attempts after non-zero, a signal of its own or a time-out.
  std::chrono::milliseconds retry_delay{0};
  int kill_signal = SIGTERM;  ///< The first one that the tool gets when it is ended.
  bool limits_only = false;   ///< No queue and no lane: supervised and listed as a service is.
  std::string label;          ///< What the user calls the run.
  /// When the run gives its lane back and goes on as a service; nothing: at its end.
  std::optional<settings::Ready> ready;
  int ready_fd = -1;  ///< An eventfd(2) that tells of the line `ready` waits for; borrowed.
  std::array<int, 2> output{-1, -1};  ///< The tool's descriptors 1 and 2; -1: the caller's.
  /// Told the run's id as soon as it has a place; may be empty.
  std::function<void(const std::string& run_id)> queued;
  /// Told the record of each attempt once it has ended, with id "-" where there is none; what
  /// has been written by then may be waited for. May be empty.
  std::function<void(const journal::Record& record)> report;
};

/// Runs a planned call: waits for the lane (a service does not), launches, supervises,
/// settles, and ends this process as the tool ended. Returns an exit code only when nothing
/// was run. Throws SystemError where the lane cannot be used; nothing has run then either.
[[nodiscard]] int run_planned(const Plan& plan);

}  // namespace onelane::multicall
