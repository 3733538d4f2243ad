#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <vector>

#include "core/sys/process.hpp"
#include "multicall/context/index_lock.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/words.hpp"
#include "shims/tables.hpp"

namespace onelane::multicall::doctor {
namespace {

namespace fs = std::filesystem;

/// The processes that may own the lock.
struct Suspects {
  std::vector<sys::ProcessStat> here;  ///< Git processes below the project.
  std::size_t hidden = 0;              ///< Git processes that we may not look into.
};

Suspects suspects_below(const std::string& root, const std::string& git_dir) {
  Suspects found;
  for (const pid_t pid : sys::all_pids()) {
    const auto stat = sys::read_stat(pid);
    if (!stat || std::string_view{stat->name.data()} != "git") {
      continue;
    }
    std::error_code error;
    const auto directory = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd", error);
    const std::string text = directory.string() + "/";
    if (error) {
      ++found.hidden;
    } else if (text.starts_with(root + "/") || text.starts_with(git_dir + "/")) {
      found.here.push_back(*stat);
    }
  }
  return found;
}

std::string age_of(const struct stat& lock) {
  const std::time_t age = std::max<std::time_t>(::time(nullptr) - lock.st_mtime, 0);
  return duration_words(std::chrono::seconds{age});
}

}  // namespace

void look_at_index_lock(const Scene& scene, Findings& out) {
  const std::string& git_dir = scene.project->git_dir;
  const std::string path = git_dir + "/" + std::string{shims::index_lock_name()};
  struct stat lock {};
  if (git_dir.empty() || ::lstat(path.c_str(), &lock) != 0) {
    out.ok("no index.lock");
    return;
  }
  const std::string since = "for " + age_of(lock);
  const Suspects suspects = suspects_below(scene.project->root, git_dir);
  if (const auto owner = find_index_lock_owner(git_dir, suspects.here)) {
    out.note({.what = owner->command + " (pid " + std::to_string(owner->pid) +
                      ") works on the index, " + since,
              .where = path,
              .todo = "wait for it"});
  } else if (!suspects.here.empty()) {
    out.note({.what = "index.lock is there " + since + "; " + std::to_string(suspects.here.size()) +
                      " git processes are at work here",
              .where = path,
              .todo = "wait for them"});
  } else if (suspects.hidden > 0) {
    out.note({.what = "index.lock is there " + since + "; its owner may be another user's git",
              .where = path,
              .todo = "ask that user before you remove it"});
  } else {
    out.wrong({.what = "index.lock is there " + since +
                       ", and no git is at work here: left by one "
                       "that was killed",
               .where = path,
               .todo = "make sure that no git works here from another machine or container, then "
                       "remove it",
               .command = "rm " + shell_word(path)});
  }
}

}  // namespace onelane::multicall::doctor
