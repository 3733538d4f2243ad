#include "multicall/cli/completion.hpp"

#include <boost/algorithm/string/join.hpp>

namespace onelane::multicall {
namespace {

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

}  // namespace

std::string fish_completion(const std::vector<Verb>& tree) {
  std::string out{kFishHead};
  add_fish_parts(out, "", tree);
  for (const Verb* verb : all_of(tree)) {
    add_fish_verb(out, *verb);
  }
  return out;
}

}  // namespace onelane::multicall
