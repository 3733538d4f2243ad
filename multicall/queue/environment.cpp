#include "multicall/queue/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace onelane::multicall {
namespace {

/// These belong to one process: the shell sets its own again, a jobserver's descriptors are closed
/// by then, and onelane's say which run this process is a part of.
constexpr auto kOfAProcess =
    std::to_array<std::string_view>({"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "OLDPWD", "ONELANE_AT",
                                     "ONELANE_BATCH", "ONELANE_LABEL", "PWD", "SHLVL", "_"});
static_assert(std::ranges::is_sorted(kOfAProcess));

constexpr auto kOfAPlace = std::to_array<std::string_view>({"COLORTERM",
                                                            "COLUMNS",
                                                            "DBUS_SESSION_BUS_ADDRESS",
                                                            "DISPLAY",
                                                            "GITHUB_ENV",
                                                            "GITHUB_OUTPUT",
                                                            "GITHUB_PATH",
                                                            "GITHUB_STATE",
                                                            "GITHUB_STEP_SUMMARY",
                                                            "GPG_TTY",
                                                            "INVOCATION_ID",
                                                            "JOURNAL_STREAM",
                                                            "LINES",
                                                            "ONELANE_HELD",
                                                            "SEQUENTIAL_EXECUTOR_PID",
                                                            "SSH_AGENT_PID",
                                                            "SSH_AUTH_SOCK",
                                                            "SSH_TTY",
                                                            "STY",
                                                            "TERM",
                                                            "TMUX",
                                                            "TMUX_PANE",
                                                            "WAYLAND_DISPLAY",
                                                            "WINDOWID",
                                                            "XAUTHORITY",
                                                            "XDG_RUNTIME_DIR",
                                                            "XDG_SESSION_ID"});
static_assert(std::ranges::is_sorted(kOfAPlace));

std::string_view variable_name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool belongs_to_a_process(std::string_view variable) {
  return std::ranges::binary_search(kOfAProcess, variable_name_of(variable));
}

bool belongs_to_a_place(std::string_view variable) {
  return std::ranges::binary_search(kOfAPlace, variable_name_of(variable));
}

}  // namespace

queue::Environment environment_to_keep() {
  queue::Environment out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (!belongs_to_a_process(*variable) && !belongs_to_a_place(*variable)) {
      out.emplace_back(*variable);
    }
  }
  std::ranges::sort(out);  // equal environments, as of one shell, are stored once
  return out;
}

queue::Environment environment_to_start(const queue::Entry& entry, const std::string& batch) {
  queue::Environment out;
  if (entry.environment) {
    out = *entry.environment;
  }
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (belongs_to_a_place(*variable)) {
      out.emplace_back(*variable);
    }
  }
  out.push_back("PWD=" + entry.cwd);
  out.push_back("ONELANE_BATCH=" + batch);
  if (!entry.label.empty()) {
    out.push_back("ONELANE_LABEL=" + entry.label);
  }
  return out;
}

}  // namespace onelane::multicall
