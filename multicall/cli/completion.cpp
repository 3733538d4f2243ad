#include "multicall/cli/completion.hpp"

#include <boost/algorithm/string/join.hpp>

#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

constexpr std::string_view kBashHead =
    R"(# Completion of onelane for bash, made by `onelane completion bash`.

# _onelane_table QUESTION: what may stand there, in REPLY: words, or @KIND for `__complete KIND`.
_onelane_table() {
  case $1 in
)";

constexpr std::string_view kBashTail = R"(  *) return 1 ;;
  esac
}

# _onelane_offer PROGRAM WANTED: what begins with $cur. No value is ever expanded.
_onelane_offer() {
  local value
  case $2 in
  @files | @directories)
    compopt -o filenames 2>/dev/null
    while IFS= read -r value; do
      COMPREPLY+=("$value")
    done < <([[ $2 == @files ]] && compgen -f -- "$cur" || compgen -d -- "$cur")
    ;;
  @*)
    while IFS=$'\t' read -r value _; do
      [[ $value == "$cur"* ]] && COMPREPLY+=("$value")
    done < <("$1" __complete "${2#@}" 2>/dev/null)
    ;;
  *)
    for value in $2; do
      [[ $value == "$cur"* ]] && COMPREPLY+=("$value")
    done
    ;;
  esac
}

# _onelane_command WORD: a command begins there.
_onelane_command() {
  local value
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    while IFS= read -r value; do
      COMPREPLY+=("$value")
    done < <(compgen -c -- "$cur" | sort -u)
  else
    compopt -o default 2>/dev/null
  fi
}

_onelane() {
  local REPLY='' cur=${COMP_WORDS[COMP_CWORD]} verb='' option='' prefix='' word
  local -i i place=1
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if [[ $option ]]; then # its value: bash makes three words of `--option=value`
      [[ $word == = ]] || option=
    elif [[ $word == -- ]]; then
      ! _onelane_table "command $verb" || { _onelane_command $((i + 1)); return; }
    elif [[ $word == -* ]]; then
      [[ $word == --*=* ]] || ! _onelane_table "value $verb $word" || option=$word
    elif _onelane_table "verbs $verb" && [[ " $REPLY " == *" $word "* ]]; then
      verb+=${verb:+ }$word
    elif _onelane_table "command $verb"; then
      _onelane_command "$i"
      return
    else
      place+=1
    fi
  done
  if [[ ! $option && $cur == --*=* ]]; then
    option=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}
    _onelane_table "value $verb $option" || return
  fi
  if [[ $option ]]; then
    [[ $cur != = ]] || cur=
    _onelane_table "value $verb $option"
    _onelane_offer "$1" "$REPLY"
  elif [[ $cur == -* ]] || { [[ $cur == '' ]] && _onelane_table "only $verb"; }; then
    ! _onelane_table "options $verb" || _onelane_offer "$1" "$REPLY"
  elif ((place == 1)) && _onelane_table "verbs $verb"; then
    _onelane_offer "$1" "$REPLY"
  elif _onelane_table "command $verb"; then
    _onelane_command "$COMP_CWORD"
  elif _onelane_table "place $verb $place" || _onelane_table "place $verb *"; then
    _onelane_offer "$1" "$REPLY"
  fi
  COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
}

complete -F _onelane onelane
)";

void add_case(std::string& out, const std::string& question, const std::string& answer) {
  out += "  " + shell_word(question) + ") REPLY=" + shell_word(answer) + " ;;\n";
}

/// What the value of `argument` may be: words, or @KIND.
std::string wanted(const Argument& argument) {
  return argument.choices.empty() && !argument.completion.empty()
             ? "@" + argument.completion
             : boost::algorithm::join(argument.choices, " ");
}

void add_bash_verb(std::string& out, const Verb& verb) {
  std::vector<std::string> options;
  for (const Argument& option : verb.options) {
    for (const std::string& name : option.names) {
      options.push_back(name);
      if (!option.value.empty()) {
        add_case(out, "value " + verb.path + " " + name, wanted(option));
      }
    }
  }
  add_case(out, "options " + verb.path, boost::algorithm::join(options, " "));
  int place = 0;
  for (const Argument& positional : verb.positionals) {
    const std::string number = positional.repeats ? "*" : std::to_string(++place);
    add_case(out, "place " + verb.path + " " + number, wanted(positional));
  }
  if (verb.has_command) {
    add_case(out, "command " + verb.path, "");
  } else if (verb.positionals.empty() && verb.parts.empty()) {
    add_case(out, "only " + verb.path, "");
  }
}

void add_bash_parts(std::string& out, const std::string& above, const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs) {
    names.push_back(verb.name());
    if (!verb.parts.empty()) {
      add_bash_parts(out, verb.path, verb.parts);
    }
  }
  add_case(out, "verbs " + above, boost::algorithm::join(names, " "));
}

constexpr std::string_view kFishHead =
    R"(# Completion of onelane for fish, made by `onelane completion fish`.

function __onelane_below -d 'the words before the cursor begin with this verb'
    set -l words (commandline -opc)
    set -e words[1]
    set -l verb (string split ' ' -- $argv[1])
    set -l length (count $verb)
    test (count $words) -ge $length
    and test "$words[1..$length]" = "$argv[1]"
end

function __onelane_at -d 'the same, and no -- stands there'
    __onelane_below $argv[1]
    and not contains -- -- (commandline -opc)
end

function __onelane_next -d 'the words before the cursor are this verb, or none at all'
    set -l words (commandline -opc)
    set -e words[1]
    test "$words" = "$argv[1]"
end

function __onelane_from -d 'what onelane __complete KIND prints now'
    set -l words (commandline -opc)
    command -q -- $words[1]
    and command $words[1] __complete $argv[1] 2>/dev/null
end

# The words of the command behind VERB, the one at the cursor last; VALUED are the options of
# VERB that take a word.
function __onelane_command -a verb -d 'the command behind a verb'
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1..(math 1 + (count (string split ' ' -- $verb)))]
    while set -q words[2]
        switch $words[1]
            case --
                set -e words[1]
                break
            case '-*'
                if contains -- $words[1] $argv[2..]
                    set -e words[1]
                end
                set -e words[1]
            case '*'
                break
        end
    end
    string join \n -- $words
end

function __onelane_options -a verb -d 'options of the verb itself may stand here'
    __onelane_at $verb
    and test (count (__onelane_command $argv)) -le 1
end

function __onelane_delegate -d 'completes the command behind a verb'
    set -l words (__onelane_command $argv)
    set -l line (string escape -- $words[1..-2]) $words[-1]
    complete -C " $line" # an empty one would be taken for none
end

complete -c onelane -f
complete -c onelane -n '__onelane_next ""' -s h -l help -d 'print this help'
complete -c onelane -n '__onelane_next ""' -s V -l version -d 'print the version'
)";

/// `text` as one word of fish.
std::string fish_word(std::string_view text) {
  return "'" + escaped(text, "'\\", "\\") + "'";
}

std::string line_for(const std::string& condition) {
  return "complete -c onelane -n " + fish_word(condition);
}

/// The part of `complete` that offers values of `argument`; empty if there are none to offer.
std::string values_of(const Argument& argument) {
  if (!argument.choices.empty()) {
    return " -a " + fish_word(boost::algorithm::join(argument.choices, " "));
  }
  if (argument.completion == "files") {
    return " -F";
  }
  if (argument.completion == "directories") {
    return " -a '(__fish_complete_directories)'";
  }
  return argument.completion.empty()
             ? ""
             : " -k -a " + fish_word("(__onelane_from " + argument.completion + ")");
}

void add_option(std::string& out, const Argument& option, const std::string& condition) {
  out += line_for(condition);
  for (const std::string& name : option.names) {
    out += name.starts_with("--") ? " -l " + fish_word(name.substr(2))
                                  : " -s " + fish_word(name.substr(1));
  }
  if (!option.value.empty()) {
    out += (option.completion == "files" ? " -r" : " -x") + values_of(option);
  }
  out += " -d " + fish_word(option.description) + "\n";
}

void add_fish_verb(std::string& out, const Verb& verb) {
  std::string condition = "__onelane_at " + fish_word(verb.path);
  std::string valued;
  if (verb.has_command) {
    for (const Argument& option : verb.options) {
      for (const std::string& name : option.names) {
        valued += option.value.empty() ? "" : " " + name;
      }
    }
    condition = "__onelane_options " + fish_word(verb.path) + valued;
  }
  for (const Argument& option : verb.options) {
    add_option(out, option, condition);
  }
  for (const Argument& positional : verb.positionals) {
    if (const std::string values = values_of(positional); !values.empty()) {
      out += line_for("__onelane_at " + fish_word(verb.path)) + values + "\n";
    }
  }
  if (verb.has_command) {
    out += line_for("__onelane_below " + fish_word(verb.path)) + " -a " +
           fish_word("(__onelane_delegate " + fish_word(verb.path) + valued + ")") + "\n";
  }
}

void add_fish_parts(std::string& out, const std::string& above, const std::vector<Verb>& verbs) {
  for (const Verb& verb : verbs) {
    out += line_for("__onelane_next " + fish_word(above)) + " -a " + fish_word(verb.name()) +
           " -d " + fish_word(verb.summary) + "\n";
    add_fish_parts(out, verb.path, verb.parts);
  }
}

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

std::string escaped(std::string_view text, std::string_view letters, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (letters.find(c) != std::string_view::npos) {
      out += before;
    }
    out += c;
  }
  return out;
}

std::string bash_completion(const std::vector<Verb>& tree) {
  std::string out{kBashHead};
  add_bash_parts(out, "", tree);
  add_case(out, "options ", "--help --version");
  for (const Verb* verb : all_of(tree)) {
    add_bash_verb(out, *verb);
  }
  return out + std::string{kBashTail};
}

std::string fish_completion(const std::vector<Verb>& tree) {
  std::string out{kFishHead};
  add_fish_parts(out, "", tree);
  for (const Verb* verb : all_of(tree)) {
    add_fish_verb(out, *verb);
  }
  return out;
}

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
