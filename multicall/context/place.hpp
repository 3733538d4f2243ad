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

/// The project a call acts on.
[[nodiscard]] std::optional<project::Project> find_project(const Call& call);

/// The project of the current directory.
[[nodiscard]] std::optional<project::Project> project_here();

/// Settings of a project for a shim or for `onelane run`.
[[nodiscard]] settings::Loaded load_settings(
    const std::string& root, settings::Audience audience,
    std::vector<std::pair<std::string, std::string>> command_line = {});

/// Moves the project's lane to where `scope` or SEQUENTIAL_LOCK_BASE_DIR want it. Makes the
/// directory of a lane that is the user's (in the home that /etc/passwd names: a lane must
/// not depend on the environment).
void place_lane(project::Project& project, const settings::Settings& settings);

/// Directory of the lane that calls of `tool` take: with `lanes = "split"` git has its own,
/// below the project's.
[[nodiscard]] std::string lane_directory(const project::Project& project,
                                         const settings::Settings& settings, std::string_view tool);

/// How the calling process stands to the lane in `lane_dir`.
[[nodiscard]] lane::Relation relation_to(const std::string& lane_dir);

}  // namespace onelane::multicall
