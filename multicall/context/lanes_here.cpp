#include "multicall/context/lanes_here.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/journal/journal.hpp"
#include "core/project/state.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/facts.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
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

std::optional<LanesHere> lanes_here() {
  const auto project = project_here();
  if (!project || !project->adopted) {
    return std::nullopt;
  }
  auto settings = load_settings(project->root, settings::Audience::Shim).settings;
  project::Project placed = *project;
  place_lane(placed, settings);
  return lanes_of(std::move(placed), std::move(settings));
}

void say_not_adopted() {
  say_always("no project here has adopted onelane (`onelane init`)");
}

std::optional<LanesHere> lanes_here_or_say() {
  auto lanes = lanes_here();
  if (!lanes) {
    say_not_adopted();
  }
  return lanes;
}

std::optional<LanesHere> journal_here_or_say() {
  auto lanes = lanes_here_or_say();
  if (lanes) {
    if (const auto file = journal::unreadable(lanes->project.state_dir)) {
      say_always(open_error(file->path, file->error).what());
      lanes.reset();
    }
  }
  return lanes;
}

std::string_view odd_kind(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) {
    return {};
  }
  return S_ISLNK(info.st_mode)    ? "a symbolic link"
         : S_ISDIR(info.st_mode)  ? "a directory"
         : S_ISFIFO(info.st_mode) ? "a FIFO"
                                  : "not a regular file";
}

sys::SystemError open_error(const std::string& path, int error) {
  const std::string kind{odd_kind(path)};
  const bool is_odd = !kind.empty() && (error == EINVAL || error == EISDIR || error == ELOOP);
  return {error, "open", is_odd ? path + ", which is " + kind + " (see `onelane doctor`)" : path};
}

LanesHere lanes_of(project::Project project, settings::Settings settings) {
  LanesHere lanes{std::move(project), std::move(settings), {}, {}};
  for (const char* name : {"/lane", "/git/lane"}) {
    const std::string path = lanes.project.state_dir + name;
    errno = 0;
    if (auto table = lane::Table::open_existing(path)) {
      lanes.tables.push_back(std::move(*table));
    } else if (errno != ENOENT && errno != ENOTDIR) {
      lanes.unreadable = open_error(path, errno);
    }
  }
  return lanes;
}

std::vector<std::string> lane_directories(const LanesHere& lanes) {
  std::vector<std::string> out{lanes.project.state_dir};
  const auto add = [&](const std::string& directory) {
    if (std::ranges::find(out, directory) == out.end()) {
      out.push_back(directory);
    }
  };
  add(lane_directory(lanes.project, lanes.settings, "git"));
  for (const lane::Table& table : lanes.tables) {
    add(table.directory());
  }
  return out;
}

lane::Table open_lane(const project::Project& project, const std::string& directory) {
  const sys::FileDescriptor state = project::open_state(project);
  make_lane_directory(project, state.get(), directory);
  return {directory, project::file_mode(state.get())};
}

void make_lane_directory(const project::Project& project, int state, const std::string& directory) {
  struct stat like {};
  if (directory == project.state_dir || ::fstat(state, &like) != 0 ||
      ::mkdir(directory.c_str(), like.st_mode & 07777U) != 0) {
    return;
  }
  (void)!::lchown(directory.c_str(), ::geteuid() == 0 ? like.st_uid : ::geteuid(), like.st_gid);
  (void)::chmod(directory.c_str(), like.st_mode & 07777U);
}

std::string log_directory(const project::Project& project, const settings::Settings& settings) {
  return settings.log_dir.value.empty() ? project.state_dir + "/logs" : settings.log_dir.value;
}

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

std::string hold_words(const lane::Header& header, bool with_remedy) {
  const auto since = std::max<std::int64_t>(0, sys::wall_seconds() - header.held_since);
  std::string text = std::string{"on hold"} + (with_remedy ? " until `onelane release`" : "") +
                     " by " + sys::user_name(header.held_by) + " for " +
                     duration_words(std::chrono::seconds{since});
  if (header.held_reason[0] != '\0') {
    text += " (" +
            sys::printable({header.held_reason.data(),
                            ::strnlen(header.held_reason.data(), header.held_reason.size())}) +
            ")";
  }
  return text;
}

}  // namespace onelane::multicall
