#include "multicall/init/hooks.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/process/ask.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/real_tool.hpp"

namespace onelane::multicall::setup {
namespace {

/// Shell lines that put the shims first again, since git, npm and husky each put a directory of
/// their own first. A linked work tree has no shims and uses those of the main one, which git names
/// by the GIT_DIR that it sets for a hook. Must work in `sh -e`, in `sh -c '…'` and in lefthook,
/// which expands words in braces.
constexpr auto kShimsFirst = std::to_array<std::string_view>({
    "shims=$PWD/.onelane/bin",
    "if [ ! -d \"$shims\" ] && main=$(git rev-parse --git-common-dir); then",
    "  shims=${main%/.git}/.onelane/bin",
    "fi",
    "[ -d \"$shims\" ] || echo \"onelane: no .onelane/bin in this work tree or the main one: "
    "the check runs with PATH as it is\" >&2",
    "PATH=\"$shims:$PATH\"",
});
constexpr std::string_view kOurs = ".onelane/bin";

/// The lines of a hook that runs `check` with the shims first, each indented by `margin`.
std::string hook_lines(const std::string& margin, const std::string& check) {
  std::string out;
  for (const std::string_view line : kShimsFirst) {
    out += margin + std::string{line} + "\n";
  }
  return out + margin + check + "\n";
}

struct HookScene {
  const project::Project& project;
  std::string path;        ///< PATH.
  std::string hooks_path;  ///< core.hooksPath; empty if it is not set.
  std::string check;       ///< The command that the hook runs; empty for none.

  [[nodiscard]] bool has(const std::string& file) const {
    return ::access((project.root + "/" + file).c_str(), F_OK) == 0;
  }
  /// True if the git hook `name` mentions `who`, the program that installed it.
  [[nodiscard]] bool is_installed(const std::string& name, std::string_view who) const {
    const std::string folder = hooks_path.empty()            ? project.common_dir + "/hooks"
                               : hooks_path.starts_with('/') ? hooks_path
                                                             : project.root + "/" + hooks_path;
    return sys::read_small_file((folder + "/" + name).c_str(), kLongest).value_or("").find(who) !=
           std::string::npos;
  }
  static constexpr std::size_t kLongest = std::size_t{1} << 20U;
};

std::string read_config(const std::string& root, const std::string& file) {
  return sys::read_small_file((root + "/" + file).c_str(), HookScene::kLongest).value_or("");
}

/// True if a line begins with `word`.
bool has_line(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') {
      return true;
    }
  }
  return false;
}

/// True for `TARGET:` or `TARGET :`, but not for `TARGET :=`.
bool has_target(std::string_view makefile, std::string_view target) {
  for (const char* const colon : {":", " :"}) {
    const std::string rule = std::string{target} + colon;
    if (has_line(makefile, rule) && !has_line(makefile, rule + "=")) {
      return true;
    }
  }
  return false;
}

std::string make_check(const std::string& root) {
  // In the order in which make looks for them.
  for (const char* const name : {"GNUmakefile", "makefile", "Makefile"}) {
    if (::access((root + "/" + name).c_str(), F_OK) == 0) {
      const std::string text = read_config(root, name);
      return has_target(text, "check") ? "make check" : has_target(text, "test") ? "make test" : "";
    }
  }
  return "";
}

std::string npm_check(const std::string& root) {
  const auto package = parse_json(read_config(root, "package.json"));
  if (!package || !package->is_object() || !package->contains("scripts") ||
      !(*package)["scripts"].is_object()) {
    return "";
  }
  const auto& scripts = (*package)["scripts"];
  const bool has_test = scripts.contains("test") && scripts["test"].is_string();
  // The test script that `npm init` writes always fails.
  return has_test &&
                 scripts["test"].get<std::string>().find("no test specified") == std::string::npos
             ? "npm test"
             : "";
}

std::string pytest_check(const std::string& root) {
  const bool is_configured =
      ::access((root + "/pytest.ini").c_str(), F_OK) == 0 ||
      has_line(read_config(root, "pyproject.toml"), "[tool.pytest.ini_options]") ||
      has_line(read_config(root, "tox.ini"), "[pytest]") ||
      has_line(read_config(root, "setup.cfg"), "[tool:pytest]");
  return is_configured ? "pytest -q" : "";
}

std::string hooks_path_of(const project::Project& project, const std::string& path) {
  const std::string git = real_program("git", path);
  if (git.empty() || project.git_dir.empty()) {
    return "";
  }
  process::Question question{.argv = {git, "config", "--get", "core.hooksPath"},
                             .directory = project.root};
  std::string said = process::ask(question).out;
  said.erase(std::min(said.find('\n'), said.size()));
  return said;
}

struct HookFile {
  std::string file;   ///< The file to write if there is none.
  std::string text;   ///< The whole text of a new file.
  std::string add;    ///< What to add to an existing one,
  std::string where;  ///< and where.
};

/// Writes a new file; for a file of the user's it only proposes what to add.
Change change_for(const HookScene& scene, const HookFile& wanted, const std::string& existing) {
  Change change{.file = existing.empty() ? wanted.file : existing, .runs = scene.check};
  const Found found = look_for(scene.project.root, change.file);
  if (found.kind == Found::Kind::Text && found.text.find(kOurs) != std::string::npos) {
    change.kind = Change::Kind::Already;
    change.runs.clear();
  } else if (scene.check.empty()) {
    change.kind = Change::Kind::Refuse;
    change.why =
        "found nothing that a hook could run: no target `check` or `test` of a makefile, no test "
        "script of package.json, no settings of pytest";
  } else if (found.kind == Found::Kind::Missing) {
    change.kind = Change::Kind::Write;
    change.is_new = true;
    change.text = wanted.text;
  } else {
    change.kind = Change::Kind::Propose;
    change.why = found.why.empty() ? "is yours; " + wanted.where : found.why + "; " + wanted.where;
    change.text = wanted.add;
  }
  return change;
}

std::string dashed(std::string text) {
  std::ranges::replace(text, ' ', '-');
  return text;
}

Plan plan_pre_commit(const HookScene& scene) {
  const std::string hook = "  - repo: local\n    hooks:\n      - id: onelane-" +
                           dashed(scene.check) + "\n        name: " + scene.check +
                           "\n        language: system\n        entry: |\n          sh -c '\n" +
                           hook_lines("            ", "exec " + scene.check) +
                           "          '\n        pass_filenames: false\n        always_run: true\n"
                           "        require_serial: true\n";
  Plan plan{.what = "pre-commit"};
  plan.changes.push_back(
      change_for(scene,
                 {".pre-commit-config.yaml",
                  "# Written by `onelane init --pre-commit`: one hook at a time, shims first.\n"
                  "repos:\n" +
                      hook,
                  hook, "add below its `repos:`"},
                 ""));
  if (real_program("pre-commit", scene.path).empty()) {
    plan.next.emplace_back("apt install pre-commit   (or: pipx install pre-commit)");
  }
  if (!scene.hooks_path.empty()) {
    plan.next.push_back("core.hooksPath is " + scene.hooks_path +
                        ": pre-commit installs nothing until it is unset");
  }
  if (!scene.is_installed("pre-commit", "pre-commit")) {
    plan.next.emplace_back("pre-commit install");
  }
  return plan;
}

Plan plan_husky(const HookScene& scene) {
  const std::string lines = hook_lines("", scene.check);
  Plan plan{.what = "husky"};
  plan.changes.push_back(change_for(
      scene,
      {".husky/pre-commit",
       "# Written by `onelane init --husky`: the shims before node_modules/.bin.\n" + lines, lines,
       "put these lines, up to PATH, at its beginning, and the last one where the check runs"},
      ""));
  const bool is_set = scene.hooks_path.find(".husky") != std::string::npos;
  if (!scene.has("node_modules/husky")) {
    plan.next.emplace_back("npm install --save-dev husky");
  }
  if (!scene.hooks_path.empty() && !is_set) {
    plan.next.push_back("core.hooksPath is " + scene.hooks_path + ": husky will change it");
  }
  if (!is_set) {
    plan.next.emplace_back(
        "npm pkg set scripts.prepare=husky && npm run prepare   (sets "
        "core.hooksPath; once in each work tree)");
  }
  return plan;
}

/// The settings file of lefthook in this project; empty if there is none.
std::string lefthook_config(const HookScene& scene) {
  for (const char* const name :
       {"lefthook.yml", ".lefthook.yml", ".config/lefthook.yml", "lefthook.yaml", ".lefthook.yaml",
        ".config/lefthook.yaml", "lefthook.toml", ".lefthook.toml", ".config/lefthook.toml",
        "lefthook.json", ".lefthook.json", ".config/lefthook.json"}) {
    if (scene.has(name)) {
      return name;
    }
  }
  return "";
}

Plan plan_lefthook(const HookScene& scene) {
  const std::string hook = "pre-commit:\n  parallel: false\n  commands:\n    onelane-" +
                           dashed(scene.check) + ":\n      run: |\n" +
                           hook_lines("        ", scene.check);
  Plan plan{.what = "lefthook"};
  plan.changes.push_back(change_for(
      scene,
      {"lefthook.yml",
       "# Written by `onelane init --lefthook`: one command at a time, shims first.\n" + hook, hook,
       "add this, or the command to the `pre-commit` that is there"},
      lefthook_config(scene)));
  const bool is_local = scene.has("node_modules/.bin/lefthook");
  if (!is_local && real_program("lefthook", scene.path).empty()) {
    plan.next.emplace_back("npm install --save-dev lefthook   (or one of its packages)");
  }
  if (!scene.is_installed("pre-commit", "lefthook")) {
    plan.next.emplace_back(is_local ? "npx lefthook install" : "lefthook install");
  }
  return plan;
}

}  // namespace

std::vector<std::string> checks_of(const std::string& root) {
  std::vector<std::string> checks{make_check(root), npm_check(root), pytest_check(root)};
  std::erase(checks, "");
  return checks;
}

Plan plan_hooks(const project::Project& project, const std::string& manager) {
  const char* const path = std::getenv("PATH");
  HookScene scene{.project = project, .path = path == nullptr ? "" : path};
  scene.hooks_path = hooks_path_of(project, scene.path);
  const auto checks = checks_of(project.root);
  scene.check = checks.empty() ? "" : checks.front();
  Plan plan = manager == "husky"      ? plan_husky(scene)
              : manager == "lefthook" ? plan_lefthook(scene)
                                      : plan_pre_commit(scene);
  const Change& change = plan.changes.front();
  if (change.kind == Change::Kind::Refuse || (change.kind == Change::Kind::Already)) {
    const bool nothing = change.kind == Change::Kind::Refuse;
    plan.next = nothing ? std::vector<std::string>{} : plan.next;
  } else if (checks.size() > 1) {
    for (std::size_t i = 1; i < checks.size(); ++i) {
      plan.next.push_back("this project has `" + checks[i] +
                          "` too: add it to the hook if it is to run there");
    }
  }
  return plan;
}

}  // namespace onelane::multicall::setup
