#include "core/settings/schema.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/cli/help.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"

namespace onelane::multicall {
namespace {

/// Escapes text for Markdown, except in `code`.
std::string plain(std::string_view text) {
  std::string out;
  bool in_code = false;
  for (const char c : text) {
    in_code = in_code != (c == '`');
    const bool is_mark = std::string_view{"\\*_<>[]|#"}.find(c) != std::string_view::npos;
    out += is_mark && !in_code ? std::string{'\\', c} : std::string{c};
  }
  return out;
}

/// One entry of a definition list.
std::string entry(std::string_view term, const std::string& text) {
  return "`" + std::string{term} + "`\n\n:   " + text + "\n\n";
}

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
      out += entry(line.substr(0, number), plain(line.substr(std::min(text, line.size()))));
    } else {
      out += plain(line) + "\n\n";
    }
  }
  return out;
}

std::string page_of(const Verb& verb) {
  std::string out = "## onelane " + verb.path + "\n\n`" + usage_of(verb) + "`\n\n";
  if (!verb.description.empty()) {
    out += plain(verb.description) + "\n\n";
  }
  for (const auto* list : {&verb.positionals, &verb.options}) {
    for (const Argument& argument : *list) {
      if (argument.description != "print this help") {
        out += entry(names_of(argument), plain(argument.description));
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
                 ? "## onelane " + verb.path + "\n\n" + plain(verb.summary) + ": see [onelane-" +
                       verb.path + "(1)](onelane-" + verb.path + ".1.md).\n\n"
                 : verb_page(tree, verb.path);
    }
  }
  return out;
}

std::string built_in_value(std::size_t index) {
  constexpr std::uint64_t kNoMemory = 0;  // defaults that depend on the machine are given in words
  const auto rows = settings::describe(settings::built_in(settings::Audience::Shim, kNoMemory));
  const std::string& name = rows[index].name;
  if (name == "memory_limit_mb") {
    return "25 % of the memory, at least 2048; 2048 for onelane run";
  }
  if (name == "tree_memory_limit_mb") {
    return "80 % of the memory";
  }
  if (name == "system_reserve_mb") {
    return "3 % of the memory";
  }
  const auto run = settings::describe(settings::built_in(settings::Audience::Run, kNoMemory));
  const std::string shown = rows[index].value.empty() ? "empty" : rows[index].value;
  return run[index].value == rows[index].value
             ? shown
             : shown + "; " + run[index].value + " for onelane run";
}

std::string settings_page() {
  std::string out;
  std::size_t index = 0;
  for (const settings::Field& field : settings::all_fields()) {
    const std::string name{field.name};
    std::string text = plain(field.meaning) +
                       ".  \n    Accepted: " + plain(settings::accepted(field)) +
                       ".  \n    Built in: " + plain(built_in_value(index++)) + ".";
    if (field.allowed == settings::Allowed::ProjectFiles) {
      text += "  \n    In the files of a project only.";
    }
    if (field.seed) {
      text += "  \n    `" + settings::upper_name(name) +
              "` in the environment counts for `onelane run`, too.";
    }
    out += entry(name, text);
  }
  return out;
}

/// `page` with its lines `<!-- VERBS -->`, `<!-- VERB NAME -->` and `<!-- SETTINGS -->` filled in.
std::string filled(std::string page) {
  const std::vector<Verb> tree = collect_tree(all_commands());
  const auto fill = [&](const std::string& mark, const auto& text) {
    if (const auto at = page.find("\n<!-- " + mark + " -->\n"); at != std::string::npos) {
      page.replace(at + 1, page.find('\n', at + 1) - at, text());
    }
  };
  fill("VERBS", [&] { return verbs_page(tree); });
  fill("SETTINGS", [] { return settings_page(); });
  for (const Verb& verb : tree) {
    fill("VERB " + verb.path, [&] { return verb_page(tree, verb.path); });
  }
  return page;
}

int command_man(std::span<char*> args) {
  Options app{"Print a page of the manual, in Markdown, with the verbs and the settings filled in.",
              "onelane __man"};
  std::string path;
  app.add_option("FILE", path, "the page, from docs/")->required()->check(not_empty());
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  auto text = sys::read_small_file(path.c_str(), std::size_t{1} << 20);
  if (!text) {
    sys::throw_errno("read", path);
  }
  print(filled(std::move(*text)));
  return 0;
}

}  // namespace

constinit const Command verbs::man{
    "__man", "fill in a page of the manual", &command_man, {}, Group::Hidden};

}  // namespace onelane::multicall
