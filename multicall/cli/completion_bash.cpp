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

}  // namespace

std::string bash_completion(const std::vector<Verb>& tree) {
  std::string out{kBashHead};
  add_bash_parts(out, "", tree);
  add_case(out, "options ", "--help --version");
  for (const Verb* verb : all_of(tree)) {
    add_bash_verb(out, *verb);
  }
  return out + std::string{kBashTail};
}

}  // namespace onelane::multicall
