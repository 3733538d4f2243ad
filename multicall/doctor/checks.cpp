#include "multicall/doctor/checks.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>

namespace onelane::multicall::doctor {
namespace {

constexpr auto kChecks = std::to_array<Check>({
    {"project", "whether a project here has adopted onelane", false, &look_at_project},
    {"path", "what the name of each tool reaches in this shell", true, &look_at_path},
    {"entries", "relative and empty entries of PATH", false, &look_at_path_entries},
    {"wrappers", "what stands between a shim and the real tool", true, &look_at_wrappers},
    {"shells", "what the name of each tool reaches in new shells", true, &look_at_shells},
    {"agents", "what the shells of agents reach that init --agent told", true, &look_at_agents},
    {"direnv", "what direnv makes of PATH in this directory", true, &look_at_direnv},
    {"envrc", "onelane's line in .envrc", true, &look_at_envrc},
    {"links", "the links in .onelane/bin", true, &look_at_links},
    {"versions", "git's and make's versions", true, &look_at_versions},
    {"files", "where the lane is, and whether locks work there", true, &look_at_file_system},
    {"space", "space for the lane and its journal", true, &look_at_space},
    {"owners", "owners and modes of the lane's files", true, &look_at_owners},
    {"lane", "holder, queue and the lane file itself", true, &look_at_lane},
    {"gate", "the short lock in front of the lane file", true, &look_at_gate},
    {"journal", "lines of the journal that cannot be read", true, &look_at_journal},
    {"index", "git's index.lock", true, &look_at_index_lock},
    {"settings", "values that cannot be used", false, &look_at_settings},
    {"switches", "what switches onelane off", false, &look_at_switches},
    {"caches", "build folders and editors that remember a shim's path", true, &look_at_caches},
    {"machine", "kernel, /proc and open files", false, &look_at_machine},
});

}  // namespace

std::span<const Check> all_checks() {
  return kChecks;
}

std::vector<Finding> examine(const Scene& scene, std::span<const Check> checks) {
  std::vector<Finding> all;
  for (const Check& check : checks) {
    if (check.needs_project && !scene.is_adopted()) {
      continue;
    }
    Findings found{check.name};
    try {
      check.look(scene, found);
    } catch (const std::exception& failure) {
      found.wrong({.what = "cannot be looked at: " + std::string{failure.what()},
                   .todo = "fix what the message names"});
    }
    auto list = found.take();
    std::ranges::move(list, std::back_inserter(all));
  }
  return all;
}

}  // namespace onelane::multicall::doctor
