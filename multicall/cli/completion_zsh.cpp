#include "multicall/cli/completion.hpp"

#include <boost/algorithm/string/join.hpp>

#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

constexpr std::string_view kZshHead = R"(#compdef onelane
# Completion of onelane for zsh, made by `onelane completion zsh`.

# _onelane_from KIND: what `onelane __complete KIND` prints now.
_onelane_from() {
  local -a found
  local value text
  while IFS=$'\t' read -r value text; do
    found+=("${value//:/\\:}:${text//\\/}")
  done < <($onelane_program __complete $1 2>/dev/null)
  _describe -V "$1" found
}

_onelane_in() {
  local curcontext=$curcontext
  curcontext="${curcontext%:*:*}:onelane-${1// /-}:"
  case $1 in
)";

constexpr std::string_view kZshTail = R"(
# Called by compinit's function of this name, or sourced.
if [[ $funcstack[1] == _onelane ]]; then
  _onelane "$@"
else
  compdef _onelane onelane
fi
)";

/// Escapes the letters that mean something to _arguments inside brackets and between colons.
std::string text_of(std::string_view text) {
  return escaped(text, "[]:\\", "\\");
}

/// ":label:action" of a value.
std::string action_of(const Argument& argument) {
  std::string action = " ";
  if (!argument.choices.empty()) {
    action = "(" + boost::algorithm::join(argument.choices, " ") + ")";
  } else if (argument.completion == "files") {
    action = "_files";
  } else if (argument.completion == "directories") {
    action = "_files -/";
  } else if (!argument.completion.empty()) {
    action = " _onelane_from " + argument.completion;
  }
  return ":" +
         text_of(argument.choices.empty() ? argument.value
                 : argument.names.empty() ? "word"
                                          : argument.names.back()) +
         ":" + action;
}

void add_option(std::string& out, const Argument& option) {
  const std::string others = boost::algorithm::join(option.names, " ");
  const bool is_help = option.value.empty() && others.find("--help") != std::string::npos;
  for (const std::string& name : option.names) {
    std::string word = option.repeats ? "*" : is_help ? "(- *)" : "(" + others + ")";
    word += name;
    if (!option.value.empty()) {
      word += name.starts_with("--") ? "=" : "+";
    }
    word += "[" + text_of(option.description) + "]";
    out += " \\\n      " + shell_word(word + (option.value.empty() ? "" : action_of(option)));
  }
}

void add_leaf(std::string& out, const Verb& verb) {
  out += "  " + shell_word(verb.path) + ")\n    _arguments -s -S";
  for (const Argument& option : verb.options) {
    add_option(out, option);
  }
  int place = 0;
  for (const Argument& positional : verb.positionals) {
    const std::string where = positional.repeats ? "*" : std::to_string(++place);
    out += " \\\n      " + shell_word(where + action_of(positional));
  }
  if (verb.has_command) {
    out += " \\\n      '(-)1:command: _command_names -e' '*::argument: _normal'";
  }
  out += "\n    ;;\n";
}

/// Code that completes the verbs below `above`, or passes on to the one that is already typed.
std::string verbs_of(const std::string& above, const std::vector<Verb>& verbs) {
  std::string out = "  local -a verbs=(\n";
  std::vector<std::string> names;
  for (const Verb& verb : verbs) {
    names.push_back(verb.name());
    out += "    " +
           shell_word(escaped(verb.name(), ":\\", "\\") + ":" + std::string{verb.summary}) + "\n";
  }
  out += "  )\n";
  out +=
      "  if ((CURRENT == 2)) && [[ $PREFIX != -* ]]; then\n    _describe verb verbs\n    return\n  "
      "fi\n";
  out += "  case $words[2] in\n  (" + boost::algorithm::join(names, "|") +
         ")\n    shift words\n    ((CURRENT--))\n    _onelane_in ";
  out += above.empty() ? "$words[1]" : "\"" + above + " $words[1]\"";
  return out + "\n    return\n    ;;\n  esac\n";
}

}  // namespace

std::string zsh_completion(const std::vector<Verb>& tree) {
  std::string out{kZshHead};
  for (const Verb* verb : all_of(tree)) {
    if (verb->parts.empty()) {
      add_leaf(out, *verb);
      continue;
    }
    out += "  " + shell_word(verb->path) + ")\n" + verbs_of(verb->path, verb->parts) +
           "    _arguments '(- *)'{-h,--help}'[print this help]'\n    ;;\n";
  }
  out += "  esac\n}\n\n_onelane() {\n  local onelane_program=${words[1]}\n" + verbs_of("", tree);
  out +=
      "  _arguments '(- *)'{-h,--help}'[print this help]' '(- *)'{-V,--version}'[print the "
      "version]'\n}\n";
  return out + std::string{kZshTail};
}

}  // namespace onelane::multicall
