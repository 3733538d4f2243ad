#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/settings/edit.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/probe.hpp"

namespace onelane::multicall::doctor {
namespace {

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

}  // namespace

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

}  // namespace onelane::multicall::doctor
