#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lane/nesting.hpp"
#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// Everything that is decided about a call, and why: `onelane explain` prints it, run_call() acts
/// on it.
struct Verdict {
  enum class Action { Pass, Lane, Service };
  Action action = Action::Pass;
  shims::Decision decision;
  std::string why;  ///< One clause: the policy's reason, or what overrides it.
  std::optional<project::Project> project;
  std::unique_ptr<settings::Loaded> loaded;  ///< Null if no settings were read.
  std::string lane_dir;  ///< Directory of the lane's file: the project's lane, or git's own.
  /// With `lanes = "split"`: a git below the main lane's holder waits for its own lane, but not
  /// longer than GIT_LOCK_WAIT.
  bool bounded_wait = false;
  /// It passes only because it is below the run that holds the lane.
  bool is_lane_call = false;
  bool spares_index = false;  ///< `git status` while another run holds the lane.
};

/// Decides, and reads only what that takes: a built-in pass reads no file at all, except that `git
/// status` looks for a holder. Throws SystemError if the lane cannot be read.
[[nodiscard]] Verdict decide(const Call& call);

/// "pass", "lane", "editor" or "service"; scripts rely on these words.
[[nodiscard]] std::string_view word_of(shims::Class cls) noexcept;

/// One line for VERBOSE=1: class, reason, project, lane and real tool of a call.
[[nodiscard]] std::string explain_in_one_line(const Call& call, const Verdict& verdict,
                                              const std::string& tool);

}  // namespace onelane::multicall
