#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/project/state.hpp"
#include "core/settings/edit.hpp"
#include "core/sys/error.hpp"
#include "multicall/commands/adoption.hpp"
#include "multicall/commands/commands.hpp"
#include "multicall/decide.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;

struct InitOptions {
  std::vector<std::string> tools;
  std::vector<std::string> links;
  std::string limits;
  bool direnv = false;
  bool no_direnv = false;
  bool ci = false;
};

bool is_on_path(const std::string& name) {
  for (const tool::Candidate& candidate : tool::all_candidates(name, std::getenv("PATH"))) {
    if (candidate.verdict == tool::Verdict::Real) {
      return true;
    }
  }
  return false;
}

/// The steps of `onelane init`; each is harmless when it has been done before.
class Init {
 public:
  Init(const project::Project& project, const InitOptions& options)
      : options_{options}, project_{project}, root_{project.root}, manifest_{project.state_dir} {}

  int run() {
    adopt();
    make_directories();
    link_tools();
    if (!options_.ci) {
      write_environment_block();
      write_envrc();
    }
    manifest_.save();
    print(report_ + offers() + next_steps());
    return 0;
  }

 private:
  void did(const std::string& line) { report_ += "  " + line + "\n"; }

  /// The state directory adopts; that of the repository, so that every work tree is adopted.
  void adopt() {
    (void)project::open_state(project_);
    if (project_.state_dir == project_.git_dir + "/onelane") {
      project::Project repository = project_;
      repository.git_dir = project_.common_dir;
      repository.state_dir = project_.common_dir + "/onelane";
      (void)project::open_state(repository);
    }
    did("lane      " + project_.state_dir);
  }

  void make_directories() {
    fs::create_directories(root_ + "/.onelane/bin");
    if (write_text(root_ + "/.onelane/.gitignore", "*\n")) {
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
      add_tool(name);
      link(name);
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
    fs::remove(path, error);
    fs::create_symlink(target, path);
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
      write_text(path, *after);
      manifest_.add("tool", name);
      did("tool      [tools." + name + "] in onelane.toml");
    }
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
    // There already: what somebody changed in it, or took out of the file, stays so.
    if (!manifest_.has("block", name) || seeds) {
      text = settings::add_block(text, settings::env_block(seeds, memory_mb()));
    }
    if (write_text(path, seeds ? settings::activate_seeds(text) : text)) {
      if (!existed) {
        manifest_.add("created", name);
      }
      manifest_.add("block", name);
      did(std::string{"settings  .env.development"} + (seeds ? " (the seeds' limits)" : ""));
    }
  }

  /// A link leads to a file that other projects may share: its owner adds our lines, or not.
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
    if (write_text(path, settings::add_line(before, "PATH_add .onelane/bin"))) {
      if (!existed) {
        manifest_.add("created", ".envrc");
      }
      manifest_.add("line", ".envrc");
      did("direnv    PATH_add .onelane/bin in .envrc");
    }
    uses_direnv_ = true;
  }

  [[nodiscard]] static std::uint64_t memory_mb() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
               static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) >>
           20U;
  }

  /// Tools that go round the five, where a lock file shows that they are used.
  [[nodiscard]] std::string offers() const {
    const std::pair<const char*, const char*> tools[] = {{"uv.lock", "uv"},
                                                         {"package-lock.json", "npx"},
                                                         {"pnpm-lock.yaml", "pnpm"},
                                                         {"yarn.lock", "yarn"}};
    std::string text;
    for (const auto& [file, name] : tools) {
      if (fs::exists(root_ + "/" + file) && !manifest_.has("link", name)) {
        text += std::string{"  "} + file + " is here, and " + name +
                " goes round the lane: onelane init --tool " + name + "\n";
      }
    }
    return text;
  }

  [[nodiscard]] std::string next_steps() const {
    if (options_.ci) {
      return "next: onelane ci-path >> \"$GITHUB_PATH\"   (as the last of the set-up steps)\n";
    }
    return uses_direnv_ ? "next: direnv allow\n"
                        : "next: export PATH=\"" + root_ + "/.onelane/bin:$PATH\"\n";
  }

  const InitOptions& options_;
  const project::Project& project_;
  std::string root_;
  Manifest manifest_;
  std::string report_ = "onelane adopted:\n";
  bool uses_direnv_ = false;
};

/// Outside a repository the current directory becomes the project.
project::Project project_to_adopt() {
  if (auto found = project_here()) {
    return *found;
  }
  fs::create_directories(".onelane/state");
  auto made = project_here();
  if (!made) {
    throw sys::SystemError{ENOENT, "find the project in", fs::current_path().string()};
  }
  return *made;
}

}  // namespace

int command_init(std::span<char*> words) {
  CLI::App app{
      "Adopt onelane in this project: the lane, .onelane/bin with links, settings, "
      "direnv. Twice is harmless; no line that init did not write is touched.",
      "onelane init"};
  InitOptions options;
  app.add_option("--tool", options.tools, "a further tool: link and [tools.NAME] entry")
      ->allow_extra_args(false);
  app.add_option("--link", options.links, "a further link: seq or safe-run")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"seq", "safe-run"}));
  app.add_option("--limits", options.limits, "seeds: 2048 MB and 1800 s are active")
      ->check(CLI::IsMember({"seeds"}));
  app.add_flag("--direnv", options.direnv, "write .envrc even if direnv is not here");
  app.add_flag("--no-direnv", options.no_direnv, "leave .envrc alone");
  app.add_flag("--ci", options.ci, "only the lane and the links");
  if (const auto code = parse_words(app, words)) {
    return *code;
  }
  if (!are_names(options.tools)) {
    return kExitUsage;
  }
  const project::Project project = project_to_adopt();
  return Init{project, options}.run();
}

int command_ci_path(std::span<char*> words) {
  CLI::App app{"Print the shim directory of this project, as $GITHUB_PATH wants it.",
               "onelane ci-path"};
  if (const auto code = parse_words(app, words)) {
    return *code;
  }
  const auto project = project_here();
  const std::string bin = project ? project->root + "/.onelane/bin" : std::string{};
  if (bin.empty() || ::access(bin.c_str(), X_OK) != 0) {
    say_always("no .onelane/bin in this project: run `onelane init --ci` first");
    return 1;
  }
  print(bin + "\n");
  return 0;
}

}  // namespace onelane::multicall
