#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/process.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/scene.hpp"
#include "multicall/init/agents.hpp"

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
    out.note(
        {.what = std::string{known.tool} + " does not say that it is " + std::string{known.begins} +
                 "…",
         .where = path,
         .todo = "nothing, if that is what you want; onelane reads its options as if it were"});
  } else if (*version < known.least) {
    out.wrong(
        {.what = line + " is too old: it lacks " + known.lacks,
         .where = path,
         .todo = fmt::format("install {}.{} or newer", known.least.first, known.least.second)});
  } else {
    fine += (fine.empty() ? "" : ", ") + line;
  }
}

namespace fs = std::filesystem;

constexpr std::size_t kLongestFile = std::size_t{4} << 20U;
constexpr std::size_t kMostFolders = 200;
constexpr std::string_view kPart = "/.onelane/bin/";

/// Folders below `folder`, without hidden ones and links; sorted, so that repeated runs say the
/// same.
std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> list;
  std::error_code error;
  for (fs::directory_iterator at{folder, error}, end;
       !error && at != end && list.size() < kMostFolders; at.increment(error)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    if (!name.starts_with('.') && name != "node_modules" && !at->is_symlink(ignored) &&
        at->is_directory(ignored)) {
      list.push_back(at->path().string());
    }
  }
  std::ranges::sort(list);
  return list;
}

/// Files that remember where a tool was found: build folders two deep, editors' settings.
std::vector<std::string> memories_of(const std::string& root) {
  std::vector<std::string> list{root + "/CMakeCache.txt",     root + "/.vscode/settings.json",
                                root + "/.vscode/tasks.json", root + "/.idea/workspace.xml",
                                root + "/.idea/misc.xml",     root + "/.idea/cmake.xml"};
  for (const std::string& folder : folders_in(root)) {
    list.push_back(folder + "/CMakeCache.txt");
    for (const std::string& inner : folders_in(folder)) {
      list.push_back(inner + "/CMakeCache.txt");
    }
  }
  return list;
}

/// The paths of shims in `text`, each once.
std::vector<std::string> shims_in(std::string_view text) {
  constexpr std::string_view kEnds = " \t\r\n\"'`<>=;,|&()";
  std::vector<std::string> list;
  for (std::size_t at = text.find(kPart); at != std::string_view::npos;
       at = text.find(kPart, at + 1)) {
    const std::size_t before = text.find_last_of(kEnds, at);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = std::min(text.find_first_of(kEnds, at + kPart.size()), text.size());
    std::string path{text.substr(begin, end - begin)};
    if (path.size() < 4096 && std::ranges::find(list, path) == list.end()) {
      list.push_back(std::move(path));
    }
  }
  return list;
}

/// The agent's name in messages.
std::string_view title_of(std::string_view agent) {
  return agent == "claude" ? "Claude Code" : agent == "codex" ? "Codex" : "Cursor";
}

/// The environment of the agent's shell. All three read kShellFile after any profile has changed
/// PATH: as BASH_ENV or, with the same effect, as the first line of each command.
decltype(process::Question::environment) environment_for(const Scene& scene,
                                                         std::string_view agent) {
  const std::string path = path_without_shims(scene);
  const std::string shell = scene.project->root + "/" + std::string{setup::kShellFile};
  return {{"PATH", agent == "cursor" ? scene.bin + ":" + path : path},
          {"BASH_ENV", shell},
          {"ENV", {}}};
}

void look_at_agent(const Scene& scene, std::string_view agent, Findings& out) {
  const std::string name{title_of(agent)};
  const std::string bash = real_program("bash", scene.path);
  std::vector<std::string> fine;
  for (const char* const flags : {"-c", "-lc"}) {
    const std::string called = name + "'s `bash " + flags + "`";
    if (bash.empty()) {
      return;
    }
    const Probe told = probe(scene, {bash, flags}, "bash", environment_for(scene, agent));
    if (!told.is_complete) {
      out.note(silence(called, told.answer));
    } else if (!told.detours.empty()) {
      out.wrong({.what = called + ": " + describe(told.detours),
                 .where = scene.project->root + "/" + setup::agent_file(agent),
                 .todo = "something sets PATH after it: see `shells`"});
    } else {
      fine.push_back("`bash " + std::string{flags} + "`");
    }
  }
  if (!fine.empty()) {
    out.ok("shims first in " + name + "'s " + list_words(fine));
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
    out.note({.what = fmt::format(
                  "only {} files may be open: the descriptors of onelane and of the tool "
                  "may collide",
                  files.rlim_cur),
              .todo = "raise it",
              .command = "ulimit -n 1024"});
  }
  if (out.empty()) {
    out.ok(fmt::format("Linux {}, /proc, {} open files", name.release, files.rlim_cur));
  }
}

void look_at_settings(const Scene& scene, Findings& out) {
  for (const settings::Problem& problem : scene.loaded.problems) {
    const bool is_trust = problem.text.find("trust") != std::string::npos;
    out.wrong({.what = settings::describe(problem),
               .todo = is_trust ? "read what it asks for, then trust it" : "change that line",
               .command = is_trust ? "onelane trust" : ""});
  }
  if (out.empty()) {
    out.ok("every value can be used");
  }
}

void look_at_switches(const Scene& scene, Findings& out) {
  const char* off = std::getenv("ONELANE");
  if (off != nullptr && std::string_view{off} == "off") {
    out.note({.what = "ONELANE=off is in the environment: every shim passes",
              .todo = "remove it if it was meant for one call",
              .command = "unset ONELANE"});
  }
  const auto& sequential = scene.loaded.settings.sequential;
  if (!sequential.value) {
    out.note({.what = "PROJECT_SEQUENTIAL_MODE=0: this project's calls take no lane",
              .where = settings::place_of(sequential.source),
              .todo = "set it to 1 to switch the lane on"});
  }
  if (out.empty()) {
    out.ok("nothing switches onelane off");
  }
}

void look_at_caches(const Scene& scene, Findings& out) {
  for (const std::string& file : memories_of(scene.project->root)) {
    const auto text = sys::read_small_file(file.c_str(), kLongestFile);
    for (const std::string& path : shims_in(text.value_or(""))) {
      const bool is_cmake = file.ends_with("CMakeCache.txt");
      const bool is_gone = path.starts_with('/') && ::access(path.c_str(), X_OK) != 0;
      Finding finding{.what = "remembers the shim " + path + (is_gone ? ", which is gone" : ""),
                      .where = file};
      finding.todo = is_cmake ? "name the real tool: cmake -DCMAKE_MAKE_PROGRAM=\"$(onelane which "
                                "make)\" in that folder"
                              : "write the tool's name alone, so that PATH decides";
      is_gone ? out.wrong(std::move(finding)) : out.note(std::move(finding));
    }
  }
  if (out.empty()) {
    out.ok("no build folder and no editor remembers a shim's path");
  }
}

void look_at_agents(const Scene& scene, Findings& out) {
  const std::string& root = scene.project->root;
  const auto shell = setup::look_for(root, std::string{setup::kShellFile});
  for (const std::string_view agent : setup::kAgents) {
    const std::string file = setup::agent_file(agent);
    const auto found = file.empty() ? setup::Found{} : setup::look_for(root, file);
    if (found.kind != setup::Found::Kind::Text || scene.tools.empty()) {
      continue;
    }
    const std::string command = "onelane init --agent " + std::string{agent};
    if (!setup::has_agent_lines(agent, found.text, root)) {
      // Other editors use Cursor's file, too.
      if (agent != "cursor") {
        out.note({.what = std::string{title_of(agent)} + " is not told where the shims are",
                  .where = root + "/" + file,
                  .todo = "put them on the PATH of its shell",
                  .command = command});
      }
    } else if (shell.text != setup::shell_text(root)) {
      // Never run: the content is not ours.
      out.wrong({.what = std::string{title_of(agent)} + " reads a file that is gone or changed",
                 .where = root + "/" + std::string{setup::kShellFile},
                 .todo = "write it again",
                 .command = command});
    } else {
      look_at_agent(scene, agent, out);
    }
  }
}

}  // namespace onelane::multicall::doctor
