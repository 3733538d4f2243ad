#include "multicall/commands/commands.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/settings/values.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/commands/help.hpp"
#include "multicall/commands/tree.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

constexpr auto kCiParts = std::to_array<Command>({
    {"finish", "the last step: ends what is left, fails what never ran", &command_ci_finish},
    {"path", "print the shim directory, for $GITHUB_PATH", &command_ci_path},
    {"verify", "fail where calls of this job go round the lane", &command_ci_verify},
});
static_assert(std::ranges::is_sorted(kCiParts, {}, &Command::name));

constexpr auto kQueueParts = std::to_array<Command>({
    {"add", "put a command into it; nothing is run", &command_queue_add},
    {"clear", "remove every entry but the one that runs", &command_queue_clear},
    {"close", "add nothing more to it", &command_queue_close},
    {"edit", "change an entry that waits", &command_queue_edit},
    {"move", "give an entry another place", &command_queue_move},
    {"pause", "let what runs end, begin nothing until `resume`", &command_queue_pause},
    {"remove", "take entries out of it", &command_queue_remove},
    {"reopen", "end `close`", &command_queue_reopen},
    {"resume", "end `pause`", &command_queue_resume},
    {"start", "run it, one entry after the other", &command_queue_start},
    {"status", "what is in it, and who runs it", &command_queue_status},
    {"stop", "let the start end before its next entry", &command_queue_stop},
});
static_assert(std::ranges::is_sorted(kQueueParts, {}, &Command::name));

constexpr auto kRunsParts = std::to_array<Command>({
    {"list", "runs of this project, newest first", &command_runs_list},
    {"view", "all that is known of one run", &command_runs_view},
    {"watch", "follow a live run until its end", &command_runs_watch},
});
static_assert(std::ranges::is_sorted(kRunsParts, {}, &Command::name));

constexpr auto kCommands = std::to_array<Command>({
    {"__complete", "values for the shell's completion", &command_complete, {}, Group::Hidden},
    {"__man", "fill the template of a manual page", &command_man, {}, Group::Hidden},
    {"bump", "let a call that waits go first", &command_bump, {}, Group::Steer},
    {"cancel", "make calls that wait leave", &command_cancel, {}, Group::Steer},
    {"ci", "the steps of a CI job: path, verify, finish", &command_ci, kCiParts, Group::SetUp},
    {"ci-path", "as `ci path`", &command_ci_path_alias, {}, Group::Hidden},
    {"completion", "print the completion script of a shell", &command_completion, {}, Group::SetUp},
    {"doctor",
     "what lets calls go round the lane; --fix, --audit",
     &command_doctor,
     {},
     Group::SetUp},
    {"explain", "say what would happen to a call, and why", &command_explain, {}, Group::Look},
    {"help", "tell more about a verb or a setting", &command_help, {}, Group::Everyday},
    {"hold", "pause the lane: what runs finishes, nobody starts", &command_hold, {}, Group::Steer},
    {"init", "adopt onelane in this project", &command_init, {}, Group::SetUp},
    {"logs", "what was logged of a run; -f follows", &command_logs, {}, Group::Look},
    {"monitor",
     "a full screen of all of it; --json streams events",
     &command_monitor,
     {},
     Group::Look},
    {"orphans", "list or end what has outlived its run", &command_orphans, {}, Group::Steer},
    {"queue", "commands to run later, one after the other", &command_queue_status, kQueueParts,
     Group::Everyday},
    {"release", "end `hold`", &command_release, {}, Group::Steer},
    {"report",
     "what ran, waited and was ended: text, a page, a trace",
     &command_report,
     {},
     Group::Look},
    {"run", "run any command in the lane", &command_run, {}, Group::Everyday},
    {"runs", "list, view or watch runs", &command_runs_list, kRunsParts, Group::Look},
    {"settings", "print every setting with its source", &command_settings, {}, Group::Look},
    {"stats",
     "waiting, duration and memory of past runs, limits that fit",
     &command_stats,
     {},
     Group::Look},
    {"status", "who holds the lane, who waits", &command_status, {}, Group::Everyday},
    {"steal", "take the lane away from a run that hangs", &command_steal, {}, Group::Steer},
    {"stop",
     "end what runs; --everything ends all of the project",
     &command_stop,
     {},
     Group::Everyday},
    {"trust", "allow what this project's onelane.toml loosens", &command_trust, {}, Group::SetUp},
    {"uninit", "remove what init made", &command_uninit, {}, Group::SetUp},
    {"wait", "until the lane is free, or a run has ended", &command_wait, {}, Group::Steer},
    {"which", "print the real tool behind a shim", &command_which, {}, Group::Look},
});
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

/// What parse_words does instead, while a Collecting lives.
std::function<void(Options&)>& taker() {
  static std::function<void(Options&)> take;
  return take;
}

const Command* find_command(std::span<const Command> commands, std::string_view name) {
  const auto found = std::ranges::lower_bound(commands, name, {}, &Command::name);
  return found == commands.end() || found->name != name ? nullptr : &*found;
}

}  // namespace

int run_verb(const Command& command, std::span<char*> words, std::string_view above) {
  const std::string_view part =
      words.empty() || command.parts.empty() ? std::string_view{} : std::string_view{words[0]};
  if (part == "--help" || part == "-h") {
    print(help_of(collect_tree({&command, 1}).front()));
    return 0;
  }
  if (part.empty() || part.starts_with('-')) {
    return command.run(words);
  }
  const Command* found = find_command(command.parts, part);
  const std::string name = std::string{above} + " " + std::string{command.name};
  return found == nullptr ? refuse_verb(part, command.parts, name)
                          : run_verb(*found, words.subspan(1), name);
}

std::span<const Command> all_commands() noexcept {
  return kCommands;
}

Collecting::Collecting(std::function<void(Options&)> take) {
  taker() = std::move(take);
}

Collecting::~Collecting() {
  taker() = nullptr;
}

OutputError::OutputError()
    : std::system_error{errno, std::generic_category(), "write standard output"} {}

void print(std::string_view text) {
  if (!sys::write_all(1, text)) {
    throw OutputError{};
  }
}

std::optional<int> parse_words(Options& app, std::span<char*> words) {
  if (taker()) {
    taker()(app);
    return 0;
  }
  const auto end = app.parse(words);
  if (!end) {
    return std::nullopt;
  }
  if (end->asks_for_help) {
    print(help_of(read_verb(app)));
    return 0;
  }
  say_always(app.name() + ": " + end->fault + " (see `" + app.name() + " --help`)");
  return kExitUsage;
}

int refuse_verb(std::string_view word, std::span<const Command> commands, std::string_view above) {
  std::vector<std::string_view> names;
  for (const Command& command : commands) {
    if (command.group != Group::Hidden) {
      names.push_back(command.name);
    }
  }
  const std::string_view meant = settings::nearest(word, names);
  const std::string parent{above};
  say_always("'" + settings::clean(word) + "' is no verb of " + parent +
             (meant.empty() ? "" : "; did you mean `" + parent + " " + std::string{meant} + "`?") +
             " (see `" + parent + " --help`)");
  return kExitUsage;
}

std::span<char*> command_behind(const Options& app, std::span<char*> words,
                                std::string_view example) {
  words = words.last(app.remaining());
  if (words.empty()) {
    say_always(app.name() + ": a command is missing: " + std::string{example});
  }
  return words;
}

int run_command(int argc, char** argv) {
  const std::span<char*> words{argv + std::min(argc, 1),
                               static_cast<std::size_t>(std::max(argc - 1, 0))};
  const std::string_view verb =
      words.empty() ? std::string_view{"--help"} : std::string_view{words[0]};
  if (verb == "--version" || verb == "-V" || verb == "version") {
    print("onelane " ONELANE_VERSION "\n");
    return 0;
  }
  if (verb == "--help" || verb == "-h") {
    print(overview_of(kCommands));
    return 0;
  }
  const Command* command = find_command(kCommands, verb);
  if (command == nullptr) {
    return refuse_verb(verb, kCommands);
  }
  return run_verb(*command, words.subspan(1));
}

}  // namespace onelane::multicall
