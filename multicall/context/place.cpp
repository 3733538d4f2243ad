#include "multicall/context/place.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/sys/users.hpp"
#include "multicall/context/facts.hpp"
#include "multicall/context/lane_call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

std::uint64_t total_memory_mb() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) >> 20U;
}

}  // namespace

std::optional<project::Project> find_project(const Call& call) {
  project::Start start;
  start.directory = ".";
  if (const shims::Shim* shim = shims::find_shim(call.name)) {
    const shims::Target target = shim->target(call.args);
    start.directory = acting_directory(target);
    start.git_dir = target.git_dir;
  }
  if (call.name == "git" && !start.git_dir) {
    if (const std::string_view git_dir = variable("GIT_DIR"); !git_dir.empty()) {
      start.git_dir = std::string{git_dir};
    }
  }
  return project::find(start);
}

std::optional<project::Project> project_here() {
  return project::find({".", std::nullopt});
}

settings::Loaded load_settings(const std::string& root, settings::Audience audience,
                               std::vector<std::pair<std::string, std::string>> command_line) {
  settings::Request request;
  request.root = root;
  request.audience = audience;
  request.home = variable("HOME");
  request.environment = [](const char* name) -> const char* { return std::getenv(name); };
  request.command_line = std::move(command_line);
  request.total_memory_mb = total_memory_mb();
  request.has_policy = [](std::string_view tool) { return shims::find_shim(tool) != nullptr; };
  return settings::load(request);
}

void place_lane(project::Project& project, const settings::Settings& settings) {
  if (!settings.lock_base_dir.value.empty()) {
    project.state_dir = settings.lock_base_dir.value + "/onelane-" + project.name;
    std::filesystem::create_directories(project.state_dir);
    return;
  }
  switch (settings.scope.value) {
    case settings::Scope::Worktree:
      return;
    case settings::Scope::Repository:
      if (!project.common_dir.empty()) {
        project.state_dir = project.common_dir + "/onelane";
      }
      return;
    case settings::Scope::User:
    case settings::Scope::Named: {
      const bool named = settings.scope.value == settings::Scope::Named;
      project.name = named ? settings.scope_name.value : "user";
      project.state_dir = sys::home_of_user() + "/.local/state/onelane/lanes/" + project.name;
      std::filesystem::create_directories(project.state_dir);
      return;
    }
  }
}

std::string lane_directory(const project::Project& project, const settings::Settings& settings,
                           std::string_view tool) {
  const bool own = tool == "git" && settings.lanes.value == "split";
  return own ? project.state_dir + "/git" : project.state_dir;
}

lane::Relation relation_to(const std::string& lane_dir) {
  const auto table = lane::Table::open_existing(lane_dir + "/lane");
  return table ? lane::relation_to_lane(*table, variable("ONELANE_HELD"), lane_call_test(lane_dir))
               : lane::Relation::Outside;
}

}  // namespace onelane::multicall
