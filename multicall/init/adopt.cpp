#include "multicall/init/adopt.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "core/project/state.hpp"
#include "core/settings/edit.hpp"
#include "core/settings/trust.hpp"
#include "core/sys/error.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/init/adoption.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::setup {
namespace {

namespace fs = std::filesystem;

std::uint64_t memory_mb() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
             static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) >>
         20U;
}

bool is_on_path(const std::string& name) {
  for (const tool::Candidate& candidate : tool::all_candidates(name, std::getenv("PATH"))) {
    if (candidate.verdict == tool::Verdict::Real) {
      return true;
    }
  }
  return false;
}

/// The text of onelane.toml with `make kill-all` as a call that passes; adds a line to `report` if
/// that is a change. Nothing if the user has a [tools.make] without it: then the report says what
/// to add.
std::optional<std::string> with_kill_all(const std::string& text, InitReport& report) {
  auto after = settings::add_pass(text, "make", "kill-all");
  if (!after) {
    report.next.emplace_back(
        "add \"kill-all\" to `pass` of [tools.make] in onelane.toml, then: onelane trust");
  } else if (*after != text) {
    report.lines.emplace_back(
        "pass      make kill-all in onelane.toml (for a target that says: onelane stop "
        "--everything --yes)");
  }
  return after;
}

/// Renews the trust in the onelane.toml at `path` after init has changed it from `before`; trusts
/// it for the first time if it `loosens` and init wrote all of it. Otherwise the report leaves it
/// to the user, who has not agreed to what was there before. Throws SystemError.
void keep_trust(const std::string& path, const std::string& before, bool loosens,
                InitReport& report) {
  const std::string after = read_text(path);
  const std::string directory = own_trust_directory();
  const bool was_trusted = settings::is_trusted(directory, path, before);
  if (was_trusted ? after == before : !loosens) {
    return;
  }
  if (was_trusted || (before.empty() && !directory.empty())) {
    settings::trust(directory, path, after);
    report.lines.emplace_back("trust     onelane.toml as it is now");
  } else {
    report.next.emplace_back("onelane trust   (after a look at the rest of onelane.toml)");
  }
}

/// The steps of `onelane init`; each may be repeated.
class Init {
 public:
  Init(const project::Project& project, const InitOptions& options)
      : options_{options}, project_{project}, root_{project.root}, manifest_{project.state_dir} {}

  InitReport run() {
    const std::string before = may_change_toml() ? read_text(toml()) : std::string{};
    adopt();
    make_directories();
    link_tools();
    if (!options_.ci) {
      let_kill_all_pass();
      if (may_change_toml() && !options_.dry_run) {
        keep_trust(toml(), before, loosens_, report_);
      }
      write_environment_block();
      write_envrc();
    }
    if (!options_.dry_run) {
      manifest_.save();
    }
    add_offers();
    add_next_steps();
    return report_;
  }

 private:
  void did(const std::string& line) { report_.lines.push_back(line); }

  /// write_text(), or with `dry_run` what it would return.
  [[nodiscard]] bool put(const std::string& path, std::string_view text) const {
    return options_.dry_run ? read_text(path) != text : write_text(path, text);
  }

  /// Creates the state directory, which marks the project as adopted; in the common git directory,
  /// so that every work tree is.
  void adopt() {
    did("lane      " + project_.state_dir);
    if (options_.dry_run) {
      return;
    }
    (void)project::open_state(project_);
    if (project_.state_dir == project_.git_dir + "/onelane") {
      project::Project repository = project_;
      repository.git_dir = project_.common_dir;
      repository.state_dir = project_.common_dir + "/onelane";
      (void)project::open_state(repository);
    }
  }

  void make_directories() {
    if (!options_.dry_run) {
      fs::create_directories(root_ + "/.onelane/bin");
    }
    if (put(root_ + "/.onelane/.gitignore", "*\n")) {
      did("ignore    .onelane/.gitignore");
    }
  }

  void link_tools() {
    for (const shims::Shim& shim : shims::all_shims()) {
      if (is_on_path(std::string{shim.name})) {
        link(std::string{shim.name});
      } else {
        did("no link   " + std::string{shim.name} + " (not on PATH)");
      }
    }
    for (const std::string& name : options_.links) {
      link(name);
    }
    for (const std::string& name : options_.tools) {
      options_.ci ? say_unlisted(name) : add_tool(name);
      link(name);
    }
    if (options_.ci) {
      link_listed();
    }
  }

  /// Links the tools that the project's own onelane.toml lists, if they are installed.
  void link_listed() {
    for (const auto& [name, unused] :
         load_settings(root_, settings::Audience::Shim).settings.tools) {
      if (is_tool_name(name) && is_on_path(name)) {
        link(name);
      }
    }
  }

  /// A CI job writes nothing into the checkout, so a tool that onelane.toml does not list cannot be
  /// added.
  void say_unlisted(const std::string& name) {
    const auto loaded = load_settings(root_, settings::Audience::Shim);
    if (shims::find_shim(name) == nullptr && !loaded.settings.tools.contains(name)) {
      did("no lane   " + name + ": no [tools." + name + "] in onelane.toml (`onelane init --tool " +
          name + "`, and commit it)");
    }
  }

  void link(const std::string& name) {
    const std::string path = root_ + "/.onelane/bin/" + name;
    const std::string target = own_path();
    std::error_code error;
    if (fs::is_symlink(path, error) && fs::read_symlink(path, error) == target) {
      manifest_.add("link", name);
      return;
    }
    const bool ours = fs::is_symlink(path, error) &&
                      (manifest_.has("link", name) || tool::is_onelane(path.c_str()));
    if (fs::exists(fs::symlink_status(path, error)) && !ours) {
      did("kept      .onelane/bin/" + name + " (not made by onelane)");
      return;
    }
    if (!options_.dry_run) {
      fs::remove(path, error);
      fs::create_symlink(target, path);
    }
    manifest_.add("link", name);
    did("link      .onelane/bin/" + name);
  }

  void add_tool(const std::string& name) {
    if (shims::find_shim(name) != nullptr) {
      return;
    }
    const std::string path = root_ + "/onelane.toml";
    const std::string before = read_text(path);
    const auto after = settings::add_tool(before, name, "lane");
    if (!after) {
      throw sys::SystemError{EINVAL, "add [tools." + name + "] to", path};
    }
    if (*after != before) {
      if (before.empty() && !fs::exists(path)) {
        manifest_.add("created", "onelane.toml");
      }
      (void)put(path, *after);
      manifest_.add("tool", name);
      did("tool      [tools." + name + "] in onelane.toml");
    }
  }

  [[nodiscard]] std::string toml() const { return root_ + "/onelane.toml"; }
  [[nodiscard]] bool may_change_toml() const {
    return !options_.ci && (options_.limits == "seeds" || !options_.tools.empty());
  }

  /// With the limits of the seeds, lets `make kill-all` pass: it must not wait for what it ends.
  void let_kill_all_pass() {
    if (options_.limits != "seeds" || is_link("onelane.toml")) {
      return;
    }
    const bool existed = fs::exists(toml());
    const auto after = with_kill_all(read_text(toml()), report_);
    if (after && put(toml(), *after)) {
      if (!existed) {
        manifest_.add("created", "onelane.toml");
      }
      manifest_.add("pass", "make");
    }
    loosens_ = after.has_value();
  }

  void write_environment_block() {
    const std::string name = ".env.development";
    const std::string path = root_ + "/" + name;
    const bool seeds = options_.limits == "seeds";
    if (is_link(name)) {
      return;
    }
    const bool existed = fs::exists(path);
    std::string text = read_text(path);
    // Written before: changes that were made to it since, and its removal, are respected.
    if (!manifest_.has("block", name) || seeds) {
      text = settings::add_block(text, settings::env_block(seeds, memory_mb()));
    }
    if (put(path, seeds ? settings::activate_seeds(text) : text)) {
      if (!existed) {
        manifest_.add("created", name);
      }
      manifest_.add("block", name);
      did(std::string{"settings  .env.development"} + (seeds ? " (the seeds' limits)" : ""));
    }
  }

  /// A symbolic link may lead to a file that other projects share, so it is left to its owner.
  bool is_link(const std::string& name) {
    std::error_code error;
    const bool link = fs::is_symlink(root_ + "/" + name, error);
    if (link) {
      did("kept      " + name + " (a symbolic link)");
    }
    return link;
  }

  void write_envrc() {
    const std::string path = root_ + "/.envrc";
    const bool existed = fs::exists(path);
    if (options_.no_direnv || (!options_.direnv && !existed && !is_on_path("direnv")) ||
        is_link(".envrc")) {
      return;
    }
    const std::string before = read_text(path);
    if (put(path, settings::add_line(before, "PATH_add .onelane/bin"))) {
      if (!existed) {
        manifest_.add("created", ".envrc");
      }
      manifest_.add("line", ".envrc");
      did("direnv    PATH_add .onelane/bin in .envrc");
    }
    uses_direnv_ = true;
  }

  /// Names tools that go around the built-in five, if a lock file shows that they are used.
  void add_offers() {
    const std::pair<const char*, const char*> tools[] = {{"uv.lock", "uv"},
                                                         {"package-lock.json", "npx"},
                                                         {"pnpm-lock.yaml", "pnpm"},
                                                         {"yarn.lock", "yarn"}};
    for (const auto& [file, name] : tools) {
      if (fs::exists(root_ + "/" + file) && !manifest_.has("link", name)) {
        did(std::string{file} + " is here, and " + name +
            " bypasses the lane: onelane init --tool " + name);
      }
    }
  }

  void add_next_steps() {
    if (options_.ci) {
      report_.next.emplace_back(
          "onelane ci path >> \"$GITHUB_PATH\"   (as the last of the set-up steps)");
    } else {
      report_.next.push_back(uses_direnv_ ? "direnv allow"
                                          : "export PATH=\"" + root_ + "/.onelane/bin:$PATH\"");
    }
  }

  const InitOptions& options_;
  const project::Project& project_;
  std::string root_;
  Manifest manifest_;
  InitReport report_;
  bool uses_direnv_ = false;
  bool loosens_ = false;  ///< onelane.toml has, or would have, a setting that needs trust.
};

}  // namespace

InitReport adopt(const project::Project& project, const InitOptions& options) {
  return Init{project, options}.run();
}

}  // namespace onelane::multicall::setup
