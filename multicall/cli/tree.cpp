#include "multicall/cli/tree.hpp"

#include <algorithm>
#include <boost/algorithm/string/join.hpp>

namespace onelane::multicall {
namespace {

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '_' ? '-' : c;
  });
  return out;
}

std::vector<std::string> choices_of(const Option& option) {
  for (const Check& check : option.checks) {
    if (const auto* one = std::get_if<OneOf>(&check)) {
      return one->words;
    }
  }
  return {};
}

/// The kind that completes() set, else the one that follows from the label.
std::string completion_of(const Option& option, std::string_view label) {
  for (const Check& check : option.checks) {
    if (const auto* said = std::get_if<Completes>(&check)) {
      return std::string{said->what};
    }
  }
  if (label == "ID" || label.ends_with("-ID")) {
    return "ids";
  }
  if (label == "FILE") {
    return "files";
  }
  return label == "DIR" || label == "DIRECTORY" ? "directories" : label == "TOOL" ? "tools" : "";
}

std::string label_of(const Option& option, const std::vector<std::string>& choices) {
  if (!choices.empty()) {
    return boost::algorithm::join(choices, "|");
  }
  if (option.is_positional()) {
    return upper(option.spec);
  }
  if (option.label.empty() && !option.is_number()) {
    const std::string name = option.names().back();
    return upper(std::string_view{name}.substr(name.find_first_not_of('-')));
  }
  return option.label.empty() ? "N" : upper(option.label);
}

Argument read_argument(const Option& option) {
  Argument out;
  out.names = option.names();
  if (!option.is_flag()) {
    out.choices = choices_of(option);
    out.value = label_of(option, out.choices);
    out.completion = completion_of(option, out.value);
  } else {
    out.choice_behind_equals = option.label;
  }
  out.description = option.description;
  out.is_required = option.is_required;
  out.repeats = option.repeats();
  return out;
}

Verb collect(const Command& command, const std::string& above) {
  Verb verb;
  const std::string path = above + std::string{command.name};
  if (command.parts.empty()) {
    bool taken = false;
    const Collecting collecting{[&](Options& app) {
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
  for (const Command* part : command.parts) {
    verb.parts.push_back(collect(*part, path + " "));
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

Verb read_verb(const Options& app) {
  Verb verb;
  constexpr std::string_view kProgram = "onelane ";
  verb.path = app.name();
  if (verb.path.starts_with(kProgram)) {
    verb.path.erase(0, kProgram.size());
  }
  verb.description = app.description();
  verb.footer = app.footer();
  verb.has_command = app.has_command();
  for (const Option& option : app.all()) {
    (option.is_positional() ? verb.positionals : verb.options).push_back(read_argument(option));
  }
  verb.options.push_back({.names = {"-h", "--help"}, .description = "print this help"});
  return verb;
}

Verb read_command(const Command& command) {
  return collect(command, "");
}

std::vector<Verb> collect_tree(Commands commands) {
  std::vector<Verb> tree;
  for (const Command* command : commands) {
    if (command->group != Group::Hidden) {
      tree.push_back(collect(*command, ""));
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
