#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "core/sys/file_descriptor.hpp"
#include "core/tool/find.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/words.hpp"

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
    return "take node_modules/.bin off PATH (npm adds it by itself), or put the shims before it";
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
                 .todo = "take the extra `:` out of PATH"});
    } else if (entry.front() != '/') {
      out.wrong({.what = "PATH has a relative entry: another directory after each cd",
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

}  // namespace onelane::multicall::doctor
