#include "multicall/ci/queue_use.hpp"

#include <algorithm>
#include <utility>

#include "multicall/audit/prefixes.hpp"
#include "multicall/audit/rules.hpp"
#include "multicall/audit/shell_words.hpp"
#include "multicall/audit/sources.hpp"
#include "multicall/ci/condition.hpp"
#include "multicall/ci/job_texts.hpp"
#include "multicall/ci/make_rules.hpp"

namespace onelane::multicall::ci {
namespace {

using audit::is_in;

constexpr int kDeepestCall = 4;

bool has_word(std::span<const std::string> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// A call that leads elsewhere: the lines there are none of the caller's.
QueueUse at_line(QueueUse use, int line) {
  use.added = use.added == 0 ? 0 : line;
  return use;
}

/// `trap … EXIT`: at the end of a green script, too.
bool is_exit_trap(std::span<const std::string> words) {
  return words.size() > 2 && words[0] == "trap" &&
         (has_word(words.subspan(2), "EXIT") || has_word(words.subspan(2), "0"));
}

}  // namespace

void QueueUse::then(const QueueUse& next) {
  if (next.starts) {
    added = collects ? 0 : next.added;
  } else if (added == 0 && !collects) {
    added = next.added;
  }
  starts = starts || next.starts;
  collects = collects || next.collects;
}

QueueUse QueueReader::use_of(std::string_view script, int line, int depth) {
  QueueUse use;
  QueueUse at_end;
  for (const audit::Words& command : audit::commands_in(script, line)) {
    if (is_exit_trap(command.words)) {
      if (depth < kDeepestCall) {
        at_end.then(use_of(std::string_view{command.words[1]}, command.line, depth + 1));
      }
    } else {
      use.then(use_of(Call{command.words, command.line, depth, command.in_background}));
    }
  }
  use.then(at_end);
  return use;
}

QueueUse QueueReader::use_of_action(const std::string& folder, int line) {
  QueueUse use;
  for (const char* name : {"/action.yml", "/action.yaml"}) {
    const auto content = read_(folder + name);
    if (!content) {
      continue;
    }
    const auto steps = steps_of(*content);
    for (const audit::Script& script : audit::scripts_of_yaml(*content)) {
      const StepText* const step = step_at(steps, script.line);
      if (step == nullptr || !skips_when_green(step->condition)) {
        use.then(use_of(script.text, script.line, 1));
      }
    }
  }
  return at_line(use, line);
}

QueueUse QueueReader::use_of(const Call& call) {
  if (const auto inner = audit::inner_script(call.words); inner && call.depth < kDeepestCall) {
    return use_of(std::string_view{*inner}, call.line, call.depth + 1);
  }
  const auto rest = audit::strip(call.words).rest;
  if (rest.empty()) {
    return {};
  }
  const std::string_view name = audit::base_of(rest[0]);
  if (name == "sep_queue.sh") {
    const bool starts = has_word(rest, "--queue-start");
    return {has_word(rest, "--") && !starts ? call.line : 0, starts};
  }
  if (name == "onelane" && rest.size() > 2 && rest[1] == "queue") {
    const bool starts = rest[2] == "start";
    return {rest[2] == "add" ? call.line : 0, starts,
            starts && call.in_background && has_word(rest, "--until-closed")};
  }
  Call inner = call;
  inner.words = rest;
  return is_in(name, "make gmake $MAKE $(MAKE)") ? made(inner) : called(inner);
}

/// `./all.sh`, `bash all.sh`, `onelane run -- ./all.sh`.
QueueUse QueueReader::called(const Call& call) {
  auto words = call.words;
  const std::string_view name = audit::base_of(words[0]);
  if (is_in(name, "onelane seq safe-run")) {
    const auto dashes = std::ranges::find(words, "--");
    const auto behind = static_cast<std::size_t>(dashes - words.begin()) + 1;
    Call inner = call;
    inner.words = behind < words.size() ? words.subspan(behind) : words.first(0);
    return inner.words.empty() ? QueueUse{} : use_of(inner);
  }
  if (is_in(name, "bash sh dash . source")) {
    words = audit::skip_options(words.subspan(1), "-o -O");
  }
  if (words.empty() || call.depth >= kDeepestCall) {
    return {};
  }
  std::string path = words[0].starts_with("./") ? words[0].substr(2) : words[0];
  const auto content =
      path.find('/') == 0 || path.empty() ? std::nullopt : read_(path = folder_ + path);
  if (!content || !seen_.insert(path).second) {
    return {};
  }
  const QueueUse use = use_of(std::string_view{*content}, 1, call.depth + 1);
  seen_.erase(path);
  return at_line(use, call.line);
}

/// One call of make.
struct QueueReader::Making {
  std::vector<MakeRule> rules;
  std::set<std::string> made;
};

/// `make -C sub ci`.
QueueUse QueueReader::made(const Call& call) {
  std::string folder = folder_;
  std::string file;
  std::vector<std::string> targets;
  for (std::size_t i = 1; i < call.words.size(); ++i) {
    const std::string& word = call.words[i];
    const bool has_next = i + 1 < call.words.size();
    if (word == "-C" && has_next) {
      folder += call.words[++i] + "/";
    } else if (word == "-f" && has_next) {
      file = call.words[++i];
    } else if (is_in(word, "-o -W -I")) {
      ++i;
    } else if (!word.starts_with('-') && word.find('=') == std::string::npos) {
      targets.push_back(word);
    }
  }
  std::optional<std::string> content;
  for (const char* const name : {"GNUmakefile", "makefile", "Makefile"}) {
    content = content || call.depth >= kDeepestCall ? content
                                                    : read_(folder + (file.empty() ? name : file));
  }
  Making making{make_rules(content.value_or("")), {}};
  for (const MakeRule& rule : making.rules) {
    if (targets.empty() && !rule.targets.empty() && !rule.targets[0].starts_with('.')) {
      targets.push_back(rule.targets[0]);
    }
  }
  const std::string before = std::exchange(folder_, folder);
  QueueUse use;
  for (const std::string& target : targets) {
    use.then(use_of_target(making, target, call.depth));
  }
  folder_ = before;
  return at_line(use, call.line);
}

/// What it needs, then its recipe.
QueueUse QueueReader::use_of_target(Making& making, const std::string& target, int depth) {
  QueueUse use;
  const std::string key = "make " + folder_ + " " + target;
  if (!making.made.insert(target).second || !seen_.insert(key).second) {
    return use;
  }
  std::vector<audit::Script> recipe;
  for (const MakeRule& rule : making.rules) {
    if (std::ranges::find(rule.targets, target) != rule.targets.end()) {
      for (const std::string& need : rule.needs) {
        use.then(use_of_target(making, need, depth));
      }
      recipe.insert(recipe.end(), rule.recipe.begin(), rule.recipe.end());
    }
  }
  for (const audit::Script& script : recipe) {
    use.then(use_of(std::string_view{script.text}, script.line, depth + 1));
  }
  seen_.erase(key);
  return use;
}

}  // namespace onelane::multicall::ci
