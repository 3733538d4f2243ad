#include <sys/resource.h>
#include <sys/utsname.h>

#include <cstdio>
#include <tuple>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/process.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/probe.hpp"

namespace onelane::multicall::doctor {
namespace {

/// `2.39.5` anywhere in `text`: major and minor number.
std::optional<std::pair<int, int>> version_in(const std::string& text) {
  const std::size_t digit = text.find_first_of("0123456789");
  int major = 0;
  int minor = 0;
  if (digit == std::string::npos ||
      std::sscanf(text.c_str() + digit, "%d.%d", &major, &minor) != 2) {
    return std::nullopt;
  }
  return std::pair{major, minor};
}

struct Known {
  const char* tool;
  const char* begins;  ///< Beginning of what `--version` prints.
  std::pair<int, int> least;
  const char* lacks;  ///< What an older version does not have.
};
constexpr Known kKnown[] = {
    {"git", "git version ", {2, 15}, "GIT_OPTIONAL_LOCKS: `git status` may break a commit"},
    {"make", "GNU Make ", {3, 82}, "options that onelane knows"},
};

void look_at_version(const Scene& scene, const Known& known, std::string& fine, Findings& out) {
  const std::string path = real_program(known.tool, scene.path);
  if (path.empty()) {
    return;
  }
  // Away from the project: the contents of its directory must not matter.
  const process::Answer answer = process::ask({.argv = {path, "--version"}, .directory = "/"});
  const auto version = version_in(answer.out);
  const std::string line = answer.out.substr(0, answer.out.find('\n'));
  if (!answer.succeeded() || !answer.out.starts_with(known.begins) || !version) {
    out.note({.what = std::string{known.tool} + " does not say that it is " +
                      std::string{known.begins} + "…",
              .where = path,
              .todo = "nothing, if that is what you want; onelane reads its options as theirs"});
  } else if (*version < known.least) {
    out.wrong({.what = line + " is too old: it lacks " + known.lacks,
               .where = path,
               .todo = "install " + std::to_string(known.least.first) + "." +
                       std::to_string(known.least.second) + " or newer"});
  } else {
    fine += (fine.empty() ? "" : ", ") + line;
  }
}

}  // namespace

void look_at_versions(const Scene& scene, Findings& out) {
  std::string fine;
  for (const Known& known : kKnown) {
    look_at_version(scene, known, fine, out);
  }
  if (!fine.empty()) {
    out.ok(fine);
  }
}

void look_at_machine(const Scene& /*scene*/, Findings& out) {
  utsname name{};
  (void)::uname(&name);
  const auto kernel = version_in(name.release);
  if (kernel && *kernel < std::pair{5, 9}) {
    out.wrong({.what = std::string{"Linux "} + name.release + " is too old",
               .todo = "onelane needs Linux 5.9 or later"});
  }
  if (!sys::proc_is_ours()) {
    out.wrong({.what = "/proc is missing, or shows another PID namespace",
               .todo = "mount it: without it a nested call is not known as one",
               .command = "mount -t proc proc /proc"});
  } else if (!sys::read_stat(1)) {
    out.note({.what = "/proc hides other users' processes",
              .todo = "nothing, if the users of a lane need not see each other"});
  }
  rlimit files{};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < sys::kFirstOwnDescriptor + 56) {
    out.note({.what = "only " + std::to_string(files.rlim_cur) +
                      " files may be open: onelane's numbers come near those of the tool",
              .todo = "raise it",
              .command = "ulimit -n 1024"});
  }
  if (out.empty()) {
    out.ok(std::string{"Linux "} + name.release + ", /proc, " + std::to_string(files.rlim_cur) +
           " open files");
  }
}

}  // namespace onelane::multicall::doctor
