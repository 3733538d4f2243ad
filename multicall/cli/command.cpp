#include "multicall/cli/command.hpp"

#include <algorithm>

#include "core/sys/text.hpp"
#include "multicall/cli/help.hpp"
#include "multicall/cli/tree.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

/// What parse_words() calls in place of parsing, while a Collecting lives.
std::function<void(Options&)>& taker() {
  static std::function<void(Options&)> take;
  return take;
}

}  // namespace

const Command* find_command(Commands commands, std::string_view name) noexcept {
  const auto found = std::ranges::find(commands, name, &Command::name);
  return found == commands.end() ? nullptr : *found;
}

int run_verb(const Command& command, std::span<char*> args, std::string_view above) {
  const std::string_view part =
      args.empty() || command.parts.empty() ? std::string_view{} : std::string_view{args[0]};
  if (part == "--help" || part == "-h") {
    print(help_of(read_command(command)));
    return 0;
  }
  if (part.empty() || part.starts_with('-')) {
    return command.run(args);
  }
  const Command* found = find_command(command.parts, part);
  const std::string name = std::string{above} + " " + std::string{command.name};
  return found == nullptr ? refuse_verb(part, command.parts, name)
                          : run_verb(*found, args.subspan(1), name);
}

Collecting::Collecting(std::function<void(Options&)> take) {
  taker() = std::move(take);
}

Collecting::~Collecting() {
  taker() = nullptr;
}

std::optional<int> parse_words(Options& app, std::span<char*> args) {
  if (taker()) {
    taker()(app);
    return 0;
  }
  const auto end = app.parse(args);
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

int refuse_verb(std::string_view word, Commands commands, std::string_view above) {
  std::vector<std::string_view> names;
  for (const Command* command : commands) {
    if (command->group != Group::Hidden) {
      names.push_back(command->name);
    }
  }
  const std::string_view meant = sys::nearest(word, names);
  const std::string parent{above};
  say_always("unknown verb '" + sys::clean(word) + "'" +
             (meant.empty() ? "" : "; did you mean `" + parent + " " + std::string{meant} + "`?") +
             " (see `" + parent + " --help`)");
  return kExitUsage;
}

std::string exit_codes(std::initializer_list<ExitCode> own) {
  std::vector<ExitCode> codes{own};
  const auto add = [&](ExitCode code) {
    if (std::ranges::find(codes, code.code, &ExitCode::code) == codes.end()) {
      codes.push_back(code);
    }
  };
  add({0, "done"});
  add({kExitUsage, "wrong usage"});
  add({kExitFailed, "onelane failed"});
  std::ranges::sort(codes, {}, &ExitCode::code);
  std::string text = "exit codes:\n";
  for (const ExitCode& code : codes) {
    std::string number = std::to_string(code.code);
    number.resize(5, ' ');
    text += wrapped("  " + number + std::string{code.when}, 7);
  }
  return text;
}

std::span<char*> command_behind(const Options& app, std::span<char*> args,
                                std::string_view example) {
  args = args.last(app.remaining());
  if (args.empty()) {
    say_always(app.name() + ": a command is missing: " + std::string{example});
  }
  return args;
}

}  // namespace onelane::multicall
