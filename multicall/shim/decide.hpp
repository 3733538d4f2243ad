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

/// Everything that is decided about a call, and why: what `onelane explain` prints and
/// run_shim acts on.
struct Verdict {
  enum class Action { Pass, Lane, Service };
  Action action = Action::Pass;
  shims::Decision decision;
  std::string why;  ///< One clause: the policy's reason, or what outranked it.
  std::optional<project::Project> project;
  std::unique_ptr<settings::Loaded> loaded;  ///< Null when no settings were read.
  std::string lane_dir;  ///< Where the lane's file is; the project's, or git's own.
  /// `lanes = "split"`: below the main lane's holder git waits for its own lane only so long.
  bool bounded_wait = false;
  /// It passes because it is below the run that holds the lane; elsewhere it would wait.
  bool is_lane_call = false;
  bool spares_index = false;  ///< `git status` while somebody else holds the lane.
};

/// Decides. Reads as little as the outcome needs: a built-in pass reads no file at all
/// (`git status` looks for a holder). Throws SystemError when the lane cannot be read.
[[nodiscard]] Verdict decide(const Call& call);

/// "pass", "lane", "editor", "service": stable words.
[[nodiscard]] std::string_view word_of(shims::Class cls) noexcept;

/// One line for VERBOSE=1: class, reason, project, lane and real tool of a call.
[[nodiscard]] std::string explain_in_one_line(const Call& call, const Verdict& verdict,
                                              const std::string& tool);

}  // namespace onelane::multicall
