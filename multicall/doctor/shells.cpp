#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "multicall/context/real_tool.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/probe.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall::doctor {
namespace {

/// One way in which agents, editors and scripts start shells.
struct Shell {
  std::string_view name;
  std::string_view flags;
  /// The user's files that it reads: the first that exists is meant; if none does, the last is to
  /// be created.
  std::array<std::string_view, 3> profiles;
};
constexpr auto kShells = std::to_array<Shell>({
    {"bash", "-c", {}},
    {"bash", "-lc", {".bash_profile", ".bash_login", ".profile"}},
    {"sh", "-c", {}},
    {"zsh", "-c", {".zshenv"}},
    {"zsh", "-lc", {".zlogin", ".zprofile"}},
});

std::string called(const Shell& shell) {
  return "`" + std::string{shell.name} + " " + std::string{shell.flags} + "`";
}

/// The user's file that should have a line for `shell`.
std::string profile_of(const Shell& shell) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || shell.profiles.front().empty()) {
    return {};
  }
  std::string last;
  for (const std::string_view name : shell.profiles) {
    if (name.empty()) {
      break;
    }
    last = std::string{home} + "/" + std::string{name};
    if (::access(last.c_str(), F_OK) == 0) {
      return last;
    }
  }
  return last;
}

Finding advice(const Scene& scene, const Shell& shell, const std::vector<Detour>& detours) {
  Finding finding{.what = called(shell) + ": " + describe(detours)};
  const std::string profile = profile_of(shell);
  const char* hook = std::getenv("BASH_ENV");
  if (!profile.empty()) {
    finding.where = profile;
    finding.todo = "a new shell sets PATH anew; add a line to the end of that file";
    finding.command = "echo " + shell_word(path_line(scene)) + " >> " + shell_word(profile);
  } else if (shell.name == "bash" && hook != nullptr && *hook != '\0') {
    finding.where = hook;
    finding.todo = "BASH_ENV names this file, and it changes PATH: set PATH at its end";
    finding.command = path_line(scene);
  } else {
    finding.todo = "set PATH where this shell was started";
    finding.command = path_line(scene);
  }
  return finding;
}

void look_at_shell(const Scene& scene, const Shell& shell, const std::string& path,
                   std::vector<std::string>& fine, Findings& out) {
  const Probe told = probe(scene, {path, std::string{shell.flags}}, shell.name);
  if (!told.is_complete) {
    out.note(silence(called(shell), told.answer));
    return;
  }
  if (told.detours.empty()) {
    fine.push_back(called(shell));
    return;
  }
  const bool as_here =
      std::ranges::equal(told.detours, unshimmed(scene, scene.path), {}, &Detour::tool);
  if (as_here && shell.flags == "-c") {
    out.note({.what = called(shell) + ": as in this shell", .todo = "see `path`"});
  } else {
    out.wrong(advice(scene, shell, told.detours));
  }
}

void look_at_all(const Scene& scene, std::string_view except, Findings& out) {
  if (scene.tools.empty()) {
    return;
  }
  std::vector<std::string> fine;
  for (const Shell& shell : kShells) {
    const std::string path =
        shell.name == except ? std::string{} : real_program(shell.name, scene.path);
    if (!path.empty()) {
      look_at_shell(scene, shell, path, fine, out);
    }
  }
  if (!fine.empty()) {
    out.ok("shims first in " + list_words(fine));
  }
}

}  // namespace

void look_at_shells(const Scene& scene, Findings& out) {
  look_at_all(scene, {}, out);
}

void look_at_step_shells(const Scene& scene, Findings& out) {
  look_at_all(scene, "zsh", out);
}

}  // namespace onelane::multicall::doctor
