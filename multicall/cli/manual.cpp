#include "multicall/cli/manual.hpp"

#include <algorithm>

#include "multicall/cli/help.hpp"

namespace onelane::multicall {
namespace {

/// A row of exit codes becomes a list entry, anything else a paragraph.
std::string footer_of(std::string_view footer) {
  std::string out;
  while (!footer.empty()) {
    const auto end = std::min(footer.find('\n'), footer.size());
    std::string_view line = footer.substr(0, end);
    footer.remove_prefix(std::min(end + 1, footer.size()));
    const auto start = line.find_first_not_of(' ');
    if (start == std::string_view::npos || line == "exit codes:") {
      out += start == 0 ? "Exit codes:\n\n" : "";
      continue;
    }
    line.remove_prefix(start);
    const auto number = line.find_first_not_of("0123456789");
    if (start == 2 && number != 0 && number != std::string_view::npos) {
      const auto text = line.find_first_not_of(' ', number);
      out += definition(line.substr(0, number), markdown(line.substr(std::min(text, line.size()))));
    } else {
      out += markdown(line) + "\n\n";
    }
  }
  return out;
}

std::string page_of(const Verb& verb) {
  std::string out = "## onelane " + verb.path + "\n\n`" + usage_of(verb) + "`\n\n";
  if (!verb.description.empty()) {
    out += markdown(verb.description) + "\n\n";
  }
  for (const auto* list : {&verb.positionals, &verb.options}) {
    for (const Argument& argument : *list) {
      if (argument.description != "print this help") {
        out += definition(names_of(argument), markdown(argument.description));
      }
    }
  }
  return out + footer_of(verb.footer);
}

std::string_view first_word(std::string_view path) {
  return path.substr(0, path.find(' '));
}

/// True for a verb with a manual page of its own.
bool has_page(std::string_view name) {
  return name == "run" || name == "queue";
}

/// A verb and its parts.
std::string verb_page(const std::vector<Verb>& tree, std::string_view name) {
  std::string out;
  for (const Verb* verb : all_of(tree)) {
    // A verb with parts but no options of its own has nothing to describe.
    const bool is_shown = verb->parts.empty() || !verb->description.empty();
    out += is_shown && first_word(verb->path) == name ? page_of(*verb) : "";
  }
  return out;
}

/// Every verb, in the order of `onelane --help`.
std::string verbs_page(const std::vector<Verb>& tree) {
  std::string out;
  for (const Group group : shown_groups()) {
    for (const Verb& verb : tree) {
      if (verb.group != group) {
        continue;
      }
      out += has_page(verb.path)
                 ? "## onelane " + verb.path + "\n\n" + markdown(verb.summary) + ": see [onelane-" +
                       verb.path + "(1)](onelane-" + verb.path + ".1.md).\n\n"
                 : verb_page(tree, verb.path);
    }
  }
  return out;
}

}  // namespace

std::string markdown(std::string_view text) {
  std::string out;
  bool in_code = false;
  for (const char c : text) {
    in_code = in_code != (c == '`');
    const bool is_mark = std::string_view{"\\*_<>[]|#"}.find(c) != std::string_view::npos;
    out += is_mark && !in_code ? std::string{'\\', c} : std::string{c};
  }
  return out;
}

std::string definition(std::string_view term, std::string_view text) {
  return "`" + std::string{term} + "`\n\n:   " + std::string{text} + "\n\n";
}

std::string filled_page(std::string page, const std::vector<Verb>& tree,
                        const std::string& settings) {
  const auto fill = [&page](const std::string& mark, const auto& text) {
    if (const auto at = page.find("\n<!-- " + mark + " -->\n"); at != std::string::npos) {
      page.replace(at + 1, page.find('\n', at + 1) - at, text());
    }
  };
  fill("VERBS", [&] { return verbs_page(tree); });
  fill("SETTINGS", [&] { return settings; });
  for (const Verb& verb : tree) {
    fill("VERB " + verb.path, [&] { return verb_page(tree, verb.path); });
  }
  return page;
}

}  // namespace onelane::multicall
