#include "shims/git.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

using git::Command;
using git::Index;

/// The options before the subcommand.
struct Global {
  Target target;
  bool answers = false;      ///< `--version` and the like: there is no subcommand to run.
  std::string_view command;  ///< Empty when there is none.
  Args rest;                 ///< Arguments of the subcommand.
};

bool takes_next_word(std::string_view option) {
  return one_of(option, {"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env",
                         "--attr-source", "--shallow-file", "--super-prefix"});
}

// `--exec-path` alone prints the path; with `=` it sets the path and a command follows.
bool answers_and_stops(std::string_view option) {
  return one_of(option, {"-v", "--version", "-h", "--help", "--exec-path", "--html-path",
                         "--man-path", "--info-path"}) ||
         option.starts_with("--list-cmds=");
}

void enter(Target& target, std::string_view directory) {
  if (!directory.empty()) {
    target.directories.emplace_back(directory);
  }
}

Global read_global(Args args) {
  Global global;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view word = args[i];
    if (!word.starts_with('-')) {
      global.command = word;
      global.rest = args.subspan(i + 1);
      return global;
    }
    if (answers_and_stops(word)) {
      global.answers = true;
      return global;
    }
    if (takes_next_word(word)) {
      const std::string_view value = i + 1 < args.size() ? args[i + 1] : std::string_view{};
      if (word == "-C") {
        enter(global.target, value);
      } else if (word == "--git-dir") {
        global.target.git_dir = std::string{value};
      }
      ++i;
    } else if (word.starts_with("--git-dir=")) {
      global.target.git_dir = std::string{word.substr(word.find('=') + 1)};
    }
  }
  return global;
}

/// Words of an alias, split the way git splits them; nullopt when a quote is not closed.
std::optional<std::vector<std::string>> split_alias(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      if (in_word) {
        words.push_back(std::exchange(word, {}));
      }
      in_word = false;
      continue;
    }
    in_word = true;
    if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'') {
      if (++i == text.size()) {
        return std::nullopt;
      }
      word.push_back(text[i]);
    } else {
      word.push_back(c);
    }
  }
  if (in_word) {
    words.push_back(word);
  }
  return quote == '\0' ? std::optional{std::move(words)} : std::nullopt;
}

Decision from_row(const Command& row) {
  return {.cls = row.cls,
          .reason = row.reason,
          .refreshes_index = row.index == Index::Refreshes,
          .writes_index = row.index == Index::Writes};
}

// Only a leading `-h` or `--help` is certain: a later one may be the value of another option.
bool asks_for_help(Args rest) {
  return !rest.empty() && one_of(rest.front(), {"-h", "--help", "--help-all"});
}

// bash-completion asks a command, or a command's verb, for its options.
bool completes(Args rest) {
  return !rest.empty() && rest.size() <= 2 && rest.back().starts_with("--git-completion-helper");
}

constexpr int kAliasDepth = 10;  // Far more than people write; git itself only stops loops.

Decision classify_command(std::string_view name, Args rest, const Facts& facts, int depth);

Decision classify_alias(std::string_view name, Args rest, const Facts& facts, int depth) {
  const auto text = facts.git_alias(name);
  if (!text) {
    return git::lane("git: not a git command onelane knows");
  }
  const auto first = text->find_first_not_of(" \t\n");
  if (first != std::string::npos && (*text)[first] == '!') {
    return git::lane("git: alias that runs a shell command");
  }
  const auto words = split_alias(*text);
  if (!words || words->empty() || depth >= kAliasDepth) {
    return git::lane("git: alias that onelane cannot follow");
  }
  std::vector<std::string_view> expanded{words->begin(), words->end()};
  expanded.insert(expanded.end(), rest.begin(), rest.end());
  const Global global = read_global(expanded);
  if (global.answers) {
    return git::pass("git: answers about itself");
  }
  return classify_command(global.command, global.rest, facts, depth + 1);
}

Decision classify_command(std::string_view name, Args rest, const Facts& facts, int depth) {
  if (!rest.empty() && rest.front() == "--help") {
    return git::pass("git: answers about itself");
  }
  const Command* row = git::find_command(name);
  if (row == nullptr) {
    return classify_alias(name, rest, facts, depth);
  }
  if (asks_for_help(rest) || completes(rest)) {
    return git::pass("git: answers about itself");
  }
  Decision decision = from_row(*row);
  if (row->refine != nullptr) {
    decision = row->refine(rest, facts, decision);
  }
  decision.reads_input = decision.cls != Class::Pass && git::reads_input(name, rest);
  return decision;
}

}  // namespace

Decision classify_git(Args args, const Facts& facts) {
  const Global global = read_global(args);
  if (global.answers || global.command.empty()) {
    return git::pass("git: answers about itself");
  }
  return classify_command(global.command, global.rest, facts, 0);
}

Target target_git(Args args) {
  return read_global(args).target;
}

std::string_view git_command_of(Args args) {
  return read_global(args).command;
}

}  // namespace onelane::shims
