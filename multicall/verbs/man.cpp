#include "core/settings/schema.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/cli/help.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"

namespace onelane::multicall {
namespace {

/// Text for roff(7): each character means itself, `-` is the one that can be typed.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (out.empty() && (c == '.' || c == '\'')) {
      out += "\\&";
    }
    if (text.substr(i).starts_with("…")) {
      out += "\\[u2026]";
      i += std::string_view{"…"}.size() - 1;
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '~' || c == '^') {
      out += c == '~' ? "\\(ti" : "\\(ha";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + roff(text) + "\\fR";
}

/// A row of exit codes becomes a list, anything else a paragraph.
std::string footer_of(std::string_view footer) {
  std::string out;
  while (!footer.empty()) {
    const auto end = std::min(footer.find('\n'), footer.size());
    std::string_view line = footer.substr(0, end);
    footer.remove_prefix(std::min(end + 1, footer.size()));
    const auto start = line.find_first_not_of(' ');
    if (start == std::string_view::npos) {
      continue;
    }
    line.remove_prefix(start);
    const auto number = line.find_first_not_of("0123456789");
    if (start == 2 && number != 0 && number != std::string_view::npos) {
      const auto text = line.find_first_not_of(' ', number);
      out += ".TP 5\n" + bold(line.substr(0, number)) + "\n" +
             roff(line.substr(std::min(text, line.size()))) + "\n";
    } else {
      out += (start == 0 ? ".PP\n" : "") + roff(line) + "\n";
    }
  }
  return out;
}

std::string page_of(const Verb& verb) {
  std::string out = ".SS onelane " + roff(verb.path) + "\n.nh\n" + bold(usage_of(verb)) + "\n.hy\n";
  if (!verb.description.empty()) {
    out += ".PP\n" + roff(verb.description) + "\n";
  }
  for (const auto* list : {&verb.positionals, &verb.options}) {
    for (const Argument& argument : *list) {
      if (argument.description == "print this help") {
        continue;
      }
      out += ".TP\n" + bold(names_of(argument)) + "\n" + roff(argument.description) + "\n";
    }
  }
  return out + footer_of(verb.footer);
}

/// Every verb, in the order of `onelane --help`.
std::string verbs_page() {
  const std::vector<Verb> tree = collect_tree(all_commands());
  std::string out;
  for (const Group group : shown_groups()) {
    for (const Verb* verb : all_of(tree)) {
      // A part stands with the verb that it belongs to.
      const bool shown = verb->parts.empty() || !verb->description.empty();
      const std::string_view first = std::string_view{verb->path}.substr(0, verb->path.find(' '));
      for (const Verb& top : tree) {
        out += shown && top.path == first && top.group == group ? page_of(*verb) : "";
      }
    }
  }
  return out;
}

std::string built_in_value(std::size_t index) {
  constexpr std::uint64_t kNoMemory = 0;  // what depends on the machine is said in words
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
    out += ".TP\n" + bold(name) + "\n" + roff(field.meaning) +
           ".\n.br\nAccepted: " + roff(settings::accepted(field)) +
           ".\n.br\nBuilt in: " + roff(built_in_value(index++)) + ".\n";
    if (field.allowed == settings::Allowed::ProjectFiles) {
      out += ".br\nIn the files of a project only.\n";
    }
    if (field.seed) {
      out += ".br\n" + roff(settings::upper_name(name)) +
             " in the environment counts for onelane run, too.\n";
    }
  }
  return out;
}

/// `template_text` with the lines `@VERBS@` and `@SETTINGS@` and each `@VERSION@` filled in.
std::string filled(std::string template_text) {
  const auto fill = [&](std::string_view mark, const std::string& text) {
    for (auto at = template_text.find(mark); at != std::string::npos;
         at = template_text.find(mark, at + text.size())) {
      template_text.replace(at, mark.size(), text);
    }
  };
  fill("@VERSION@", ONELANE_VERSION);
  fill("@VERBS@\n", verbs_page());
  fill("@SETTINGS@\n", settings_page());
  return template_text;
}

int command_man(std::span<char*> words) {
  Options app{"Print a manual page: its template with the verbs and the settings filled in.",
              "onelane __man"};
  std::string path;
  app.add_option("FILE", path, "the template")->required()->check(not_empty());
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, words)) {
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
    "__man", "fill the template of a manual page", &command_man, {}, Group::Hidden};

}  // namespace onelane::multicall
