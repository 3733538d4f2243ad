#include "multicall/commands/tree.hpp"

#include <algorithm>

#include "core/settings/values.hpp"

namespace onelane::multicall {
namespace {

constexpr std::string_view kCompletes = "completes ";

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '_' ? '-' : c;
  });
  return out;
}

/// The words of CLI::IsMember, which it shows as "{a,b}" behind the type.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) {
    return {};
  }
  return settings::split_list(std::string_view{type}.substr(open + 1, close - open - 1));
}

/// What completes() said, else what the label says.
std::string completion_of(CLI::Option& option, std::string_view label) {
  try {
    for (int i = 0;; ++i) {
      const std::string& name = option.get_validator(i)->get_name();
      if (name.starts_with(kCompletes)) {
        return name.substr(kCompletes.size());
      }
    }
  } catch (const CLI::OptionNotFound&) {  // that was the last one
  }
  if (label == "ID" || label.ends_with("-ID")) {
    return "ids";
  }
  if (label == "FILE") {
    return "files";
  }
  return label == "DIR" || label == "DIRECTORY" ? "directories" : label == "TOOL" ? "tools" : "";
}

std::string label_of(const CLI::Option& option, const std::vector<std::string>& choices) {
  std::string label;
  for (const std::string& choice : choices) {
    label += (label.empty() ? "" : "|") + choice;
  }
  if (!label.empty()) {
    return label;
  }
  if (!option.nonpositional()) {
    return upper(option.get_single_name());
  }
  const std::string type = option.get_type_name();
  const std::string word = type.substr(0, std::min(type.find(':'), type.find(' ')));
  if (word == "INT" || word == "UINT" || word == "FLOAT") {
    return "N";
  }
  // CLI11's own word says nothing: `--tool TOOL` does.
  return word == "TEXT" || word.empty() ? upper(option.get_single_name()) : upper(word);
}

Argument read_argument(CLI::Option& option) {
  Argument out;
  for (const std::string& name : option.get_snames()) {
    out.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    out.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() != 0) {
    out.choices = choices_of(option);
    out.value = label_of(option, out.choices);
    out.completion = completion_of(option, out.value);
  }
  out.description = option.get_description();
  out.is_required = option.get_required();
  // A flag may always be repeated; that says nothing.
  out.repeats = !out.value.empty() && option.get_expected_max() > 1;
  return out;
}

bool is_help(const CLI::Option& option) {
  return option.check_lname("help");
}

Verb collect(const Command& command, const std::string& above) {
  Verb verb;
  const std::string path = above + std::string{command.name};
  if (command.parts.empty()) {
    bool taken = false;
    const Collecting collecting{[&](CLI::App& app) {
      if (!taken) {
        verb = read_verb(app);
      }
      taken = true;
    }};
    (void)command.run({});
  }
  verb.path = path;
  verb.summary = command.summary;
  verb.group = command.group;
  for (const Command& part : command.parts) {
    verb.parts.push_back(collect(part, path + " "));
  }
  return verb;
}

void append(const std::vector<Verb>& tree, std::vector<const Verb*>& out) {
  for (const Verb& verb : tree) {
    out.push_back(&verb);
    append(verb.parts, out);
  }
}

}  // namespace

Verb read_verb(CLI::App& app) {
  Verb verb;
  constexpr std::string_view kProgram = "onelane ";
  verb.path = app.get_name();
  if (verb.path.starts_with(kProgram)) {
    verb.path.erase(0, kProgram.size());
  }
  verb.description = app.get_description();
  verb.footer = app.get_footer();
  verb.has_command = app.get_prefix_command();
  std::vector<Argument> help;
  for (CLI::Option* option : app.get_options([](CLI::Option*) { return true; })) {
    Argument argument = read_argument(*option);
    auto& list = is_help(*option)          ? help
                 : option->nonpositional() ? verb.options
                                           : verb.positionals;
    list.push_back(std::move(argument));
  }
  // Last, and in the words of the others.
  for (Argument& argument : help) {
    argument.description = "print this help";
    verb.options.push_back(std::move(argument));
  }
  return verb;
}

CLI::Validator completes(std::string_view what) {
  return CLI::Validator{[](std::string&) { return std::string{}; }, "",
                        std::string{kCompletes} + std::string{what}};
}

std::vector<Verb> collect_tree(std::span<const Command> commands) {
  std::vector<Verb> tree;
  for (const Command& command : commands) {
    if (command.group != Group::Hidden) {
      tree.push_back(collect(command, ""));
    }
  }
  return tree;
}

std::vector<const Verb*> all_of(const std::vector<Verb>& tree) {
  std::vector<const Verb*> out;
  append(tree, out);
  return out;
}

}  // namespace onelane::multicall
