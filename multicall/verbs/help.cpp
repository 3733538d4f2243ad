#include <algorithm>
#include <array>

#include "core/settings/schema.hpp"
#include "multicall/cli/help.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"

namespace onelane::multicall {
namespace {

/// `timeout`, `TIMEOUT` and `ONELANE_TIMEOUT` are one setting.
const settings::Field* find_setting(std::string word) {
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view kPrefix = "onelane_";
  return settings::find_field(word.starts_with(kPrefix)
                                  ? std::string_view{word}.substr(kPrefix.size())
                                  : std::string_view{word});
}

std::string help_of(const settings::Field& field) {
  const std::string name{field.name};
  std::string text = wrapped(name + ": " + std::string{field.meaning}, 2) + "\n";
  text += "  accepted       " + settings::accepted(field) + "\n";
  text += "  onelane.toml   " + name + " = …\n";
  text += "  .env           ONELANE_" + settings::upper_name(name) + "=…\n";
  if (field.allowed != settings::Allowed::ProjectFiles) {
    text += "  environment    ONELANE_" + settings::upper_name(name) + "=…\n";
    if (field.seed) {
      text += "  onelane run    " + settings::upper_name(name) + "=… in the environment, too\n";
    }
  }
  return text + "\n`onelane settings` shows its value here and where it was set.\n";
}

int command_help(std::span<char*> args) {
  Options app{
      "Describe a verb (`onelane help status`) or a setting (`onelane help timeout`). Without "
      "either, list the verbs.",
      "onelane help"};
  std::vector<std::string> topic;
  app.add_option("TOPIC", topic, "a verb, with its part if any, or a setting")
      ->check(completes("topics"));
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  if (topic.empty()) {
    print(overview_of(all_commands()));
    return 0;
  }
  std::string above = "onelane";
  Commands commands = all_commands();
  const Command* command = nullptr;
  for (const std::string& word : topic) {
    const Command* next = find_command(commands, word);
    if (next == nullptr) {
      const auto* field = command == nullptr && topic.size() == 1 ? find_setting(word) : nullptr;
      if (field == nullptr) {
        return refuse_verb(word, commands, above);
      }
      print(help_of(*field));
      return 0;
    }
    command = next;
    commands = next->parts;
    above += " " + word;
  }
  if (!command->parts.empty()) {  // a verb with parts may have no function of its own
    print(help_of(read_command(*command)));
    return 0;
  }
  std::string option = "--help";
  std::array<char*, 1> help{option.data()};
  return run_verb(*command, help);
}

}  // namespace

constinit const Command verbs::help{
    "help", "describe a verb or a setting", &command_help, {}, Group::Everyday};

}  // namespace onelane::multicall
