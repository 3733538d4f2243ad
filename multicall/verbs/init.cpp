#include <unistd.h>

#include <filesystem>

#include "core/sys/error.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/init/adopt.hpp"
#include "multicall/init/adoption.hpp"
#include "multicall/init/setup.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;
using setup::InitOptions;

/// False when only another program's file is asked for and this work tree is set up.
bool is_needed(const project::Project& project, const setup::SetupOptions& more) {
  return !more.is_wanted() || !project.adopted || !fs::exists(project.root + "/.onelane/bin");
}

std::string text_of(const setup::InitReport& report, bool dry_run) {
  std::string text = dry_run ? "onelane would adopt:\n" : "onelane adopted:\n";
  for (const std::string& line : report.lines) {
    text += "  " + line + "\n";
  }
  for (const std::string& line : report.next) {
    text += "next: " + line + "\n";
  }
  return text;
}

/// Outside a repository the current directory becomes the project.
std::optional<project::Project> project_to_adopt(bool dry_run) {
  auto found = project_here();
  if (found || dry_run) {
    return found;
  }
  fs::create_directories(".onelane/state");
  auto made = project_here();
  if (!made) {
    throw sys::SystemError{ENOENT, "find the project in", fs::current_path().string()};
  }
  return made;
}

int init_here(const InitOptions& options, const setup::SetupOptions& more) {
  const auto project = project_to_adopt(options.dry_run);
  if (!project) {
    say_always("no project here yet: `onelane init` makes this directory one (.onelane/state)");
    return 0;
  }
  setup::InitReport report;
  if (is_needed(*project, more)) {
    report = setup::adopt(*project, options);
    if (!more.as_json) {
      print(printable_lines(text_of(report, options.dry_run)));
    }
  }
  return setup::set_up(*project, more, report);
}

int command_init(std::span<char*> args) {
  Options app{
      "Adopt onelane in this project: the lane, .onelane/bin with links, settings, "
      "direnv. Running it twice is harmless; no line that init did not write is touched.",
      "onelane init"};
  InitOptions options;
  app.add_option("--tool", options.tools, "add a tool: its link and its [tools.NAME] entry")
      ->type_name("NAME")
      ->check(completes("tools"));
  app.add_option("--link", options.links,
                 "add a link of that name that does what `onelane run` does")
      ->check(one_of({"seq", "safe-run"}));
  app.add_option("--limits", options.limits,
                 "activate the seeds' limits, 2048 MB and 1800 s, and let `make kill-all` pass")
      ->check(one_of({"seeds"}));
  app.add_flag("--direnv", options.direnv, "write .envrc even if direnv is not installed");
  app.add_flag("--no-direnv", options.no_direnv, "leave .envrc alone");
  app.add_flag("--ci", options.ci,
               "make only the lane and the links: nothing that `git status` would show");
  setup::SetupOptions more;
  setup::add_setup_options(app, more);
  app.footer(exit_codes({{1, "a file was refused, or the answer was no"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  if (!are_names(options.tools)) {
    return kExitUsage;
  }
  options.dry_run = more.dry_run;
  return init_here(options, more);
}

}  // namespace

constinit const Command verbs::init{
    "init", "adopt onelane in this project", &command_init, {}, Group::SetUp};

}  // namespace onelane::multicall
