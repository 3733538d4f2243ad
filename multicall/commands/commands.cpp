#include "multicall/commands/commands.hpp"

#include <algorithm>
#include <array>

#include "core/settings/values.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

constexpr auto kCommands = std::to_array<Command>({
    {"ci-path", "print the shim directory, for $GITHUB_PATH", &command_ci_path},
    {"explain", "say what would happen to a call, and why", &command_explain},
    {"init", "adopt onelane in this project", &command_init},
    {"run", "run any command in the lane", &command_run},
    {"settings", "print every setting with its source", &command_settings},
    {"status", "who holds the lane, who waits", &command_status},
    {"trust", "allow what this project's onelane.toml loosens", &command_trust},
    {"uninit", "remove what init made", &command_uninit},
    {"which", "print the real tool behind a shim", &command_which},
});
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

std::string help_text() {
  std::string text =
      "onelane: one heavy command per project at a time, in the order they were asked for.\n\n"
      "usage: onelane VERB [options]\n\n";
  for (const Command& command : kCommands) {
    std::string name{command.name};
    name.resize(10, ' ');
    text += "  " + name + std::string{command.summary} + "\n";
  }
  return text +
         "\n`onelane VERB --help` tells more. ONELANE=off in the environment switches all shims "
         "off.\n";
}

}  // namespace

void print(std::string_view text) {
  if (!sys::write_all(1, text)) {
    sys::throw_errno("write", "standard output");
  }
}

std::optional<int> parse_words(CLI::App& app, std::span<char*> words) {
  std::vector<std::string> reversed{words.rbegin(), words.rend()};  // as CLI11 wants them
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    say_always(app.get_name() + ": " + error.what() + " (see `" + app.get_name() + " --help`)");
    return kExitUsage;
  }
  return std::nullopt;
}

std::span<char*> command_behind(const CLI::App& app, std::span<char*> words,
                                std::string_view example) {
  const std::string name = app.get_name();
  const std::size_t first = words.size() - app.remaining_size(true);
  if (first < words.size() && std::string_view{words[first]} == "--") {
    words = words.subspan(first + 1);
  } else if (first < words.size() && words[first][0] == '-') {
    say_always(name + ": no option " + settings::clean(words[first]) + " (see `" + name +
               " --help`)");
    return {};
  } else {
    words = words.subspan(first);
  }
  if (words.empty()) {
    say_always(name + ": a command is missing: " + std::string{example});
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
  if (verb == "--help" || verb == "-h" || verb == "help") {
    print(help_text());
    return 0;
  }
  const auto* command = std::ranges::lower_bound(kCommands, verb, {}, &Command::name);
  if (command == kCommands.end() || command->name != verb) {
    say_always("'" + std::string{verb} + "' is no verb of onelane (see `onelane --help`)");
    return kExitUsage;
  }
  return command->run(words.subspan(1));
}

}  // namespace onelane::multicall
