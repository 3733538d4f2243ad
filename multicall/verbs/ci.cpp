#include <unistd.h>

#include "multicall/context/place.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

int print_shim_directory(const std::string& name, std::span<char*> args) {
  Options app{"Print the shim directory of this project, for $GITHUB_PATH.", name};
  app.footer(exit_codes({{1, "no .onelane/bin in this project"}}));
  if (const auto code = parse_words(app, args)) {
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

int command_ci(std::span<char*> args) {
  Options app{"The parts of a CI job: see `onelane ci --help`.", "onelane ci"};
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  say_always("onelane ci: path, verify or finish? (see `onelane ci --help`)");
  return kExitUsage;
}

constexpr const Command* kCiParts[] = {&verbs::ci_finish, &verbs::ci_path, &verbs::ci_verify};

}  // namespace

constinit const Command verbs::ci{"ci", "the steps of a CI job: path, verify, finish", &command_ci,
                                  kCiParts, Group::SetUp};

namespace {

int command_ci_path(std::span<char*> args) {
  return print_shim_directory("onelane ci path", args);
}

}  // namespace

constinit const Command verbs::ci_path{"path", "print the shim directory, for $GITHUB_PATH",
                                       &command_ci_path};

namespace {

int command_ci_path_alias(std::span<char*> args) {
  return print_shim_directory("onelane ci-path", args);
}

}  // namespace

constinit const Command verbs::ci_path_alias{
    "ci-path", "the same as `ci path`", &command_ci_path_alias, {}, Group::Hidden};

}  // namespace onelane::multicall
