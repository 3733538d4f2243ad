#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "multicall/doctor/scene.hpp"

namespace onelane::multicall::doctor {

/// One check. It looks and changes nothing; an exception that it throws becomes a finding.
struct Check {
  std::string_view name;
  std::string_view looks_at;
  bool needs_project;  ///< Left out if no project has adopted onelane.
  void (*look)(const Scene& scene, Findings& out);
};

/// All checks, in the order in which they are shown.
[[nodiscard]] std::span<const Check> all_checks();

/// All findings of the checks that apply. Takes no lock of the lane and waits for none; a program
/// that is asked something has two seconds to answer.
[[nodiscard]] std::vector<Finding> examine(const Scene& scene,
                                           std::span<const Check> checks = all_checks());

void look_at_project(const Scene& scene, Findings& out);
void look_at_path(const Scene& scene, Findings& out);
void look_at_path_entries(const Scene& scene, Findings& out);
void look_at_wrappers(const Scene& scene, Findings& out);
void look_at_shells(const Scene& scene, Findings& out);
/// The same without zsh: the shells that run the steps and scripts of CI jobs.
void look_at_step_shells(const Scene& scene, Findings& out);
void look_at_agents(const Scene& scene, Findings& out);
void look_at_direnv(const Scene& scene, Findings& out);
void look_at_envrc(const Scene& scene, Findings& out);
void look_at_links(const Scene& scene, Findings& out);
void look_at_versions(const Scene& scene, Findings& out);
void look_at_file_system(const Scene& scene, Findings& out);
void look_at_space(const Scene& scene, Findings& out);
void look_at_owners(const Scene& scene, Findings& out);
void look_at_lane(const Scene& scene, Findings& out);
void look_at_gate(const Scene& scene, Findings& out);
void look_at_journal(const Scene& scene, Findings& out);
void look_at_index_lock(const Scene& scene, Findings& out);
void look_at_settings(const Scene& scene, Findings& out);
void look_at_switches(const Scene& scene, Findings& out);
void look_at_caches(const Scene& scene, Findings& out);
void look_at_machine(const Scene& scene, Findings& out);

}  // namespace onelane::multicall::doctor
