#include "multicall/context/lanes_here.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/journal/journal.hpp"
#include "core/project/state.hpp"
#include "multicall/context/place.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {

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

}  // namespace onelane::multicall
