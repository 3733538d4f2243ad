#include "multicall/cli/help.hpp"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/join.hpp>

#include "multicall/cli/command.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kLeastColumn = 16;
constexpr std::size_t kMostColumn = 30;

constexpr auto kGroups =
    std::to_array<Group>({Group::Everyday, Group::Look, Group::Steer, Group::SetUp});

/// Width of UTF-8 text, counting one column per character.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Appends `text` and a newline. The first line starts in column `at`; later ones are indented by
/// `indent`.
void append_wrapped(std::string& out, std::string_view text, std::size_t at, std::size_t indent) {
  std::size_t column = at;
  bool first = true;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && column + 1 + columns(word) > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns(word);
    first = false;
  }
  out += '\n';
}

/// The column where the descriptions of `rows` begin.
std::size_t column_for(const std::vector<const Argument*>& rows) {
  std::size_t widest = 0;
  for (const Argument* row : rows) {
    widest = std::max(widest, columns(names_of(*row)) + 4);
  }
  return std::clamp(widest, kLeastColumn, kMostColumn);
}

void append_row(std::string& out, const Argument& argument, std::size_t column) {
  const std::string names = "  " + names_of(argument);
  out += names;
  if (columns(names) + 2 > column) {
    out += "\n" + std::string(column, ' ');
  } else {
    out += std::string(column - columns(names), ' ');
  }
  append_wrapped(out, argument.description, column, column);
}

std::string bracketed(const Argument& argument) {
  std::string text;
  if (!argument.names.empty()) {
    text = argument.names.back();
  }
  if (!argument.value.empty()) {
    text += (text.empty() ? "" : text.starts_with("--") ? "=" : " ") + argument.value;
  }
  text += argument.choice_behind_equals;
  if (!argument.is_required) {
    text = "[" + text + "]";
  }
  return text + (argument.repeats ? "…" : "");
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  append_wrapped(out, text, 0, indent);
  return out;
}

std::string names_of(const Argument& argument) {
  std::string text = boost::algorithm::join(argument.names, ", ");
  if (!argument.value.empty()) {
    text += (text.empty() ? "" : " ") + argument.value;
  }
  return text + argument.choice_behind_equals;
}

std::string usage_of(const Verb& verb) {
  const std::string start = "onelane " + verb.path;
  if (!verb.parts.empty()) {
    std::vector<std::string> parts;
    std::ranges::transform(verb.parts, std::back_inserter(parts), &Verb::name);
    const std::string names = boost::algorithm::join(parts, "|");
    const bool fits = columns("usage: " + start + " " + names + " [options]") <= kWidth;
    return start + " " + (fits ? names : "PART") + " [options]";
  }
  std::string options;
  for (const Argument& option : verb.options) {
    if (option.description != "print this help") {
      options += " " + bracketed(option);
    }
  }
  std::string rest;
  for (const Argument& positional : verb.positionals) {
    rest += " " + bracketed(positional);
  }
  if (verb.has_command) {
    rest += " -- COMMAND [ARGUMENT…]";
  }
  const bool fits = columns("usage: " + start + options + rest) <= kWidth;
  return start + (fits ? options : " [options]") + rest;
}

std::string help_of(const Verb& verb) {
  std::string text = "usage: " + usage_of(verb) + "\n\n";
  append_wrapped(text, verb.description.empty() ? verb.summary : verb.description, 0, 0);
  text += verb.parts.empty() ? "" : "\n";
  for (const Verb& part : verb.parts) {
    std::string name = part.name();
    name.resize(std::max<std::size_t>(name.size() + 2, kLeastColumn - 2), ' ');
    text += "  " + name;
    append_wrapped(text, part.summary, name.size() + 2, kLeastColumn);
  }
  std::vector<const Argument*> rows;
  for (const auto* list : {&verb.positionals, &verb.options}) {
    for (const Argument& argument : *list) {
      rows.push_back(&argument);
    }
  }
  const std::size_t column = column_for(rows);
  for (const auto* list : {&verb.positionals, &verb.options}) {
    text += list->empty() ? "" : "\n";
    for (const Argument& argument : *list) {
      append_row(text, argument, column);
    }
  }
  if (!verb.footer.empty()) {
    text += "\n" + verb.footer + (verb.footer.ends_with('\n') ? "" : "\n");
  }
  return text;
}

std::string_view title_of(Group group) noexcept {
  switch (group) {
    case Group::Everyday:
      return "every day";
    case Group::Look:
      return "look";
    case Group::Steer:
      return "steer";
    case Group::SetUp:
      return "set up";
    case Group::Hidden:
      return "";
  }
  return "";
}

std::span<const Group> shown_groups() noexcept {
  return kGroups;
}

std::string overview_of(Commands commands) {
  std::string text =
      "onelane: one heavy command per project at a time, in the order they were asked for.\n\n"
      "usage: onelane VERB [options]\n";
  for (const Group group : kGroups) {
    text += "\n" + std::string{title_of(group)} + ":\n";
    for (const Command* command : commands) {
      if (command->group == group) {
        std::string name{command->name};
        name.resize(12, ' ');
        text += "  " + name + std::string{command->summary} + "\n";
      }
    }
  }
  return text +
         "\n`onelane help VERB` describes a verb, `onelane help SETTING` a setting.\n"
         "ONELANE=off in the environment switches all shims off.\n";
}

}  // namespace onelane::multicall
