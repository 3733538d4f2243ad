#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/lane/nesting.hpp"
#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// The project that a call acts on, by its `-C` and the like; nothing if there is none.
[[nodiscard]] std::optional<project::Project> find_project(const Call& call);

/// The project around the current directory; nothing if there is none.
[[nodiscard]] std::optional<project::Project> project_here();

/// Settings of the project at `root` from all sources, for a shim or for a verb.
[[nodiscard]] settings::Loaded load_settings(
    const std::string& root, settings::Audience audience,
    std::vector<std::pair<std::string, std::string>> command_line = {});

/// Sets `state_dir` to where `scope` or SEQUENTIAL_LOCK_BASE_DIR put the lane, and creates the
/// directory of a lane outside the project. A user's lane is in the home directory that /etc/passwd
/// names: it must not depend on the environment.
void place_lane(project::Project& project, const settings::Settings& settings);

/// Directory of the lane that calls of `tool` take: the project's, or with `lanes = "split"` the
/// one below it for git.
[[nodiscard]] std::string lane_directory(const project::Project& project,
                                         const settings::Settings& settings, std::string_view tool);

/// Whether this process is below the holder of the lane in `lane_dir`.
[[nodiscard]] lane::Relation relation_to(const std::string& lane_dir);

}  // namespace onelane::multicall
