#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>

#include "core/settings/edit.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/scene.hpp"
#include "multicall/term/words.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::doctor {
namespace {

std::string directory_of(const std::string& file) {
  return file.substr(0, file.rfind('/'));
}

bool has_file(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// How to put the shims before another program's directory.
std::string remedy(const Scene& scene, const Whose& whose) {
  if (whose.name == "node_modules") {
    return "remove node_modules/.bin from PATH (npm adds it by itself), or put the shims before it";
  }
  if (whose.name == "a Python environment" || whose.name == "a conda environment") {
    return "activate the environment first and put the shims before it afterwards";
  }
  if (has_file(scene.project->root + "/.envrc")) {
    return "let `PATH_add .onelane/bin` be the last line of .envrc that changes PATH";
  }
  return whose.is_manager ? "set PATH after " + std::string{whose.name} + " has been set up"
                          : "put the shims before it";
}

/// Tools, grouped by the directory in which they are found instead of the shim.
using Shadows = std::map<std::string, std::vector<std::string>>;

void tell_shadows(const Scene& scene, const Shadows& shadows, Findings& out) {
  for (const auto& [directory, names] : shadows) {
    const Whose whose = whose_directory(directory);
    const std::string owner = whose.name.empty() ? "" : " (" + std::string{whose.name} + ")";
    out.wrong({.what = list_words(names) + (names.size() == 1 ? " is" : " are") +
                       " found before the shim" + owner,
               .where = directory,
               .todo = remedy(scene, whose),
               .command = path_line(scene)});
  }
}

bool has_shim_on(const std::string& name, const std::string& path) {
  for (const tool::Candidate& candidate : tool::all_candidates(name, path.c_str())) {
    if (candidate.verdict == tool::Verdict::Self ||
        candidate.verdict == tool::Verdict::OnelaneCopy) {
      return true;
    }
  }
  return false;
}

std::vector<tool::Candidate> behind_shim(const std::string& name, const std::string& path) {
  std::vector<tool::Candidate> list = tool::all_candidates(name, path.c_str());
  std::erase_if(list, [](const auto& c) { return c.verdict != tool::Verdict::Real; });
  return list;
}

/// True for a shell script, which is more often a wrapper than a tool.
bool is_shell_script(const std::string& path) {
  const auto file = sys::try_open_file(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  char head[64];
  const long got = file.is_open() ? sys::read_up_to(file.get(), head, sizeof head) : 0;
  const std::string_view text{head, static_cast<std::size_t>(got < 0 ? 0 : got)};
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.starts_with("#!") && line.ends_with("sh");
}

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

namespace fs = std::filesystem;

constexpr const char* kLine = "PATH_add .onelane/bin";

/// Where the last `kLine` is, and whether a line after it puts other directories first.
struct Envrc {
  bool has_line = false;
  bool is_indented = false;  ///< One of them is, as in an `if`: we cannot move it.
  std::string later;         ///< The first such line.
};

Envrc read_envrc(const std::string& text) {
  Envrc envrc;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
    line.erase(0, indent);
    if (line == kLine || line.starts_with(std::string{kLine} + " ")) {
      envrc = {true, envrc.is_indented || indent > 0, {}};
      continue;
    }
    for (const char* word : {"PATH_add ", "path_add PATH ", "layout ", "use ", "source_env ",
                             "source_up", "export PATH=", "PATH=", "source ", ". ", "eval "}) {
      if (envrc.later.empty() && line.starts_with(word)) {
        envrc.later = line;
      }
    }
  }
  return envrc;
}

/// Neither read_text nor write_text follows a link.
std::string write_line(const std::string& path) {
  std::string text = read_text(path);
  for (std::string before; before != text;) {
    before = std::exchange(text, settings::remove_line(text, kLine));
  }
  write_text(path, settings::add_line(text, kLine));
  return std::string{kLine} + " as the last line of " + path + " (then: direnv allow)";
}

std::string envrc_of(const Scene& scene) {
  return scene.project->root + "/.envrc";
}

Envrc envrc_at(const std::string& path) {
  // Read through a link, as direnv reads it; never written.
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return read_envrc(sys::read_small_file(real.c_str(), std::size_t{1} << 20U).value_or(""));
}

/// Replaces a link that leads elsewhere in one step, so that a tool called at that moment still
/// finds a shim. Anything but a link stays.
std::string make_link(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path{path}.parent_path());
  const bool replaces = fs::is_symlink(path, error);
  const std::string fresh = replaces ? path + ".onelane-new" : path;
  if (replaces) {
    fs::remove(fresh, error);
  }
  fs::create_symlink(own_path(), fresh, error);
  if (!error && replaces) {
    fs::rename(fresh, path, error);
  }
  if (error) {
    throw sys::SystemError{error.value(), "link", path};
  }
  return "link " + path;
}

/// True for the same executable: the file itself or a copy of it.
bool is_this_build(const std::string& path) {
  struct stat ours {};
  struct stat theirs {};
  const std::string self = own_path();
  if (::stat(self.c_str(), &ours) != 0 || ::stat(path.c_str(), &theirs) != 0) {
    return false;
  }
  if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
    return true;
  }
  if (ours.st_size != theirs.st_size) {
    return false;
  }
  constexpr std::size_t kMost = std::size_t{256} << 20U;
  const auto left = sys::read_small_file(self.c_str(), kMost);
  const auto right = sys::read_small_file(fs::canonical(path).c_str(), kMost);
  return left && right && *left == *right;
}

void look_at_link(const Scene& scene, const std::string& name, Findings& out) {
  const std::string path = scene.bin + "/" + name;
  const bool ours = scene.manifest && scene.manifest->has("link", name);
  std::function<std::string()> mend;
  if (ours) {
    mend = [path] { return make_link(path); };
  }
  std::error_code error;
  const auto kind = fs::symlink_status(path, error).type();
  const std::string command = ours ? "onelane doctor --fix" : "onelane init --tool " + name;
  if (kind == fs::file_type::not_found) {
    out.wrong({.what = "the link of " + name + " is gone",
               .where = path,
               .todo = "make it again",
               .command = command,
               .fix = mend});
  } else if (kind == fs::file_type::symlink && !fs::exists(path, error)) {
    out.wrong({.what = "the link of " + name + " leads to " +
                       fs::read_symlink(path, error).string() + ", which is not there",
               .where = path,
               .todo = "make it again",
               .command = command,
               .fix = mend});
  } else if (!tool::is_onelane(path.c_str())) {
    out.wrong({.what = "in the place of " + name + "'s shim is something that is not onelane",
               .where = path,
               .todo = "see what it is, move it away, then make the link",
               .command = "onelane init"});
  } else if (!is_this_build(path)) {
    // Only a link is fixed: a copy in its place was put there on purpose.
    out.wrong({.what = "the shim of " + name + " is another build than this onelane",
               .where = path,
               .todo = "link this build, or call that one",
               .command = command,
               .fix = kind == fs::file_type::symlink ? mend : nullptr});
  }
}

}  // namespace

void look_at_project(const Scene& scene, Findings& out) {
  if (scene.is_adopted()) {
    out.ok("adopted");
    return;
  }
  out.wrong({.what = "no project here has adopted onelane",
             .where = scene.project ? scene.project->root : std::string{},
             .todo = "adopt it",
             .command = "onelane init"});
}

void look_at_path(const Scene& scene, Findings& out) {
  if (scene.tools.empty()) {
    out.wrong({.what = "there is no shim in .onelane/bin",
               .where = scene.bin,
               .todo = "make the links",
               .command = "onelane init"});
    return;
  }
  std::vector<std::string> missing;
  Shadows shadows;
  for (const std::string& name : unshimmed(scene, scene.path)) {
    if (has_shim_on(name, scene.path)) {
      shadows[directory_of(reached(name, scene.path).path)].push_back(name);
    } else {
      missing.push_back(name);
    }
  }
  tell_shadows(scene, shadows, out);
  if (!missing.empty()) {
    const bool uses_direnv = has_file(scene.project->root + "/.envrc");
    out.wrong({.what = "in this shell no shim of " + list_words(missing) + " is on PATH",
               .todo = uses_direnv ? "allow direnv, or set PATH yourself" : "set PATH",
               .command = uses_direnv ? "direnv allow" : path_line(scene)});
  }
  if (out.empty()) {
    out.ok(list_words(scene.tools) + (scene.tools.size() == 1 ? " reaches" : " reach") +
           " the shims");
  }
}

void look_at_path_entries(const Scene& scene, Findings& out) {
  if (::getenv("PATH") == nullptr) {
    out.wrong({.what = "PATH is not set", .todo = "set it where this shell is started"});
    return;
  }
  for (const std::string& entry : entries_of(scene.path)) {
    if (entry.empty()) {
      out.wrong({.what = "PATH has an empty entry: the current directory, wherever that is",
                 .todo = "remove the extra `:` from PATH"});
    } else if (entry.front() != '/') {
      out.wrong({.what = "PATH has a relative entry: it is another directory after each cd",
                 .where = entry,
                 .todo = "write it as an absolute path"});
    }
  }
  if (out.empty()) {
    out.ok("every entry of PATH is absolute");
  }
}

void look_at_wrappers(const Scene& scene, Findings& out) {
  for (const std::string& name : scene.tools) {
    const auto real = behind_shim(name, scene.path);
    if (real.empty()) {
      out.wrong({.what = "there is no real " + name + " behind the shim",
                 .todo = "install it, or remove the link",
                 .command = "rm " + shell_word(scene.bin + "/" + name)});
      continue;
    }
    const Whose whose = whose_directory(directory_of(real.front().path));
    // Node's and Python's own tools are scripts, too, but not for a shell.
    if (whose.is_manager || is_shell_script(real.front().path)) {
      const std::string owner =
          whose.is_manager ? std::string{whose.name} + "'s" : std::string{"a shell script"};
      out.note(
          {.what = name + " behind the shim is " + owner + ": a wrapper",
           .where = real.front().path,
           .todo = "nothing, as long as `onelane which -a " + name + "` shows the shim first"});
    }
  }
  if (out.empty()) {
    out.ok("behind each shim is its tool");
  }
}

void look_at_shells(const Scene& scene, Findings& out) {
  look_at_all(scene, {}, out);
}

void look_at_step_shells(const Scene& scene, Findings& out) {
  look_at_all(scene, "zsh", out);
}

void look_at_envrc(const Scene& scene, Findings& out) {
  const std::string path = envrc_of(scene);
  if (::access(path.c_str(), F_OK) != 0) {
    return;
  }
  std::error_code error;
  const Envrc envrc = envrc_at(path);
  const bool ours = scene.manifest && scene.manifest->has("line", ".envrc") &&
                    !fs::is_symlink(path, error) && !envrc.is_indented;
  Finding finding{.where = path, .todo = "let `" + std::string{kLine} + "` be its last line"};
  finding.command = ours ? "onelane doctor --fix" : "";
  if (ours) {
    finding.fix = [path] { return write_line(path); };
  }
  if (!envrc.has_line) {
    finding.what = ".envrc does not put the shims on PATH";
    real_program("direnv", scene.path).empty() ? out.note(finding) : out.wrong(finding);
  } else if (!envrc.later.empty()) {
    finding.what = "in .envrc `" + envrc.later + "` comes after the shims and may put others first";
    out.note(finding);
  } else {
    out.ok(".envrc puts the shims on PATH, last of its lines");
  }
}

void look_at_direnv(const Scene& scene, Findings& out) {
  const std::string path = envrc_of(scene);
  const std::string direnv = real_program("direnv", scene.path);
  const std::string shell = real_program("sh", scene.path);
  if (direnv.empty() || shell.empty() || scene.tools.empty() || !envrc_at(path).has_line) {
    return;
  }
  const Probe told = probe(scene, {direnv, "exec", scene.project->root, shell, "-c"}, "sh",
                           {{"PATH", path_without_shims(scene)},
                            {"DIRENV_DIFF", {}},
                            {"DIRENV_DIR", {}},
                            {"DIRENV_FILE", {}},
                            {"DIRENV_WATCHES", {}}});
  if (told.answer.end == process::Answer::End::TimedOut) {
    out.note(silence("`direnv exec`", told.answer));
  } else if (!told.is_complete) {
    out.wrong({.what = "direnv does not load .envrc: it is not allowed, or it fails",
               .where = path,
               .todo = "read it, then allow it",
               .command = "direnv allow"});
  } else if (!told.detours.empty()) {
    out.wrong({.what = "under direnv " + describe(told.detours),
               .where = path,
               .todo = "let `" + std::string{kLine} + "` be its last line"});
  } else {
    out.ok("direnv puts the shims first");
  }
}

void look_at_links(const Scene& scene, Findings& out) {
  for (const std::string& name : scene.tools) {
    look_at_link(scene, name, out);
  }
  for (const shims::Shim& shim : shims::all_shims()) {
    const std::string name{shim.name};
    const auto candidates = tool::all_candidates(name, scene.path.c_str());
    const bool is_here = std::ranges::any_of(
        candidates, [](const auto& c) { return c.verdict == tool::Verdict::Real; });
    if (is_here && !std::ranges::binary_search(scene.tools, name)) {
      out.note({.what = name + " is installed, and no shim stands before it",
                .todo = "make its link",
                .command = "onelane init"});
    }
  }
  if (out.empty()) {
    out.ok(fmt::format("{} links lead to this onelane", scene.tools.size()));
  }
}

}  // namespace onelane::multicall::doctor
