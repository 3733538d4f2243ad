#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "multicall/commands/commands.hpp"
#include "multicall/decide.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/run.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

struct RunOptions {
  bool no_wait = false;
  std::optional<int> priority;
};

/// The command to run: a path as it stands, unless it is a shim; a name behind the shims.
tool::Found find_command(const Call& call) {
  const char* word = call.argv[0];
  if (std::strchr(word, '/') == nullptr || tool::is_onelane(word)) {
    return find_real_tool(call);
  }
  tool::Found found;
  found.outcome = ::access(word, F_OK) == 0 ? tool::Outcome::Found : tool::Outcome::NotFound;
  found.path = word;
  return found;
}

std::vector<std::pair<std::string, std::string>> as_settings(const RunOptions& options) {
  std::vector<std::pair<std::string, std::string>> out;
  if (options.priority) {
    out.emplace_back("--priority", std::to_string(*options.priority));
  }
  return out;
}

int execute(const tool::Found& found, const Call& call) {
  std::string path = found.path;
  std::vector<char*> argv = make_argv(call, path);
  ::execve(path.c_str(), argv.data(), environ);
  return explain_exec_failure(path, errno);
}

int run_in_lane(const Call& call, const RunOptions& options) {
  const tool::Found found = find_command(call);
  if (found.outcome != tool::Outcome::Found) {
    say_always(std::string{call.argv[0]} + ": not found");
    return kExitNotFound;
  }
  if (::access(found.path.c_str(), X_OK) != 0) {
    return explain_exec_failure(found.path, errno);  // before anybody waits for nothing
  }
  auto project = project_here();
  if (!project || !project->adopted) {
    say("no project here has adopted onelane (`onelane init`); running without the lane");
    return execute(found, call);
  }
  auto loaded = load_settings(project->root, settings::Audience::Run, as_settings(options));
  place_lane(*project, loaded.settings);
  if (relation_to(project->state_dir) == lane::Relation::BelowHolder) {
    return execute(found, call);
  }
  for (const settings::Problem& problem : loaded.problems) {
    say_always(settings::describe(problem));
  }
  if (!loaded.problems.empty()) {
    return kExitBadSettings;
  }
  Plan plan;
  plan.call = &call;
  plan.tool = found;
  plan.decision = {shims::Class::Lane, "onelane run"};
  plan.lane_dir = project->state_dir;
  plan.project = std::move(*project);
  plan.settings = std::move(loaded.settings);
  plan.no_wait = options.no_wait;
  plan.wait_for_all = true;
  return run_planned(plan);
}

}  // namespace

int command_run(std::span<char*> words) {
  CLI::App app{
      "Run any command in the lane: it waits its turn, under the limits of the project, "
      "and is waited for with all its descendants.",
      "onelane run"};
  RunOptions options;
  int priority = 0;
  app.add_flag("--no-wait", options.no_wait, "exit 75 when the lane is taken");
  auto* priority_option =
      app.add_option("--priority", priority, "higher goes first (default 0, -100 to 100)");
  priority_option->check(CLI::Range(-100, 100));
  app.prefix_command();
  app.footer("usage: onelane run [options] -- COMMAND [ARGUMENT…]");
  if (const auto code = parse_words(app, words)) {
    return *code;
  }
  const auto command = command_behind(app, words, "onelane run [options] -- COMMAND");
  if (command.empty()) {
    return kExitUsage;
  }
  if (priority_option->count() > 0) {
    options.priority = priority;
  }
  return run_in_lane(make_call(static_cast<int>(command.size()), command.data()), options);
}

int run_sequential(const Call& call) {
  std::vector<char*> words{call.argv.begin() + 1, call.argv.end()};
  return command_run(words);
}

}  // namespace onelane::multicall
