#include "shims/clamp_words.hpp"

#include <algorithm>
#include <limits>

#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

using Word = Options::Word;

/// The last option with that letter or name.
const Word* last_of(const Options& options, char letter, std::string_view name) {
  const auto& words = options.words();
  const auto found = std::find_if(words.rbegin(), words.rend(), [&](const Word& word) {
    return word.letter == '\0' ? word.name == name && !word.negated : word.letter == letter;
  });
  return found == words.rend() ? nullptr : &*found;
}

/// argparse reads `-n=8` as `-n 8`.
std::string_view pytest_value(const Word& word) {
  std::string_view value = word.value;
  if (word.letter != '\0' && value.starts_with('=')) {
    value.remove_prefix(1);
  }
  return value;
}

}  // namespace

std::optional<unsigned long long> plain_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  constexpr auto kMost = std::numeric_limits<unsigned long long>::max();
  unsigned long long number = 0;
  for (const char digit : text) {
    const auto next = static_cast<unsigned long long>(digit - '0');
    if (number > (kMost - next) / 10) {
      return kMost;
    }
    number = number * 10 + next;
  }
  return number;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t\n", at)) != text.npos;) {
    const auto end = std::min(text.find_first_of(" \t\n", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

void Rewritten::replace(std::size_t at, std::size_t length, const std::string& value) {
  if (words_.empty()) {
    words_.assign(args_.begin(), args_.end());
  }
  const std::string_view before = args_[at];
  std::string& word = words_[at];
  word = std::string{before.substr(0, before.size() - length)} + value;
  const std::string option = length == before.size() && at > 0 ? words_[at - 1] + " " : "";
  changes_.push_back(option + std::string{before} + " -> " + option + word);
}

void lower_make(Args args, unsigned workers, Rewritten& out) {
  const Options options{args, make_syntax()};
  const Word* jobs = last_of(options, 'j', "jobs");
  if (jobs == nullptr) {
    return;  // Serial; `-jN` here would make it parallel.
  }
  const bool is_long = jobs->letter == '\0';
  if (jobs->value.empty()) {
    if (!(is_long && args[jobs->at].ends_with('='))) {
      out.replace(jobs->at, 0, (is_long ? "=" : "") + std::to_string(workers));
    }
    return;
  }
  if (const auto count = plain_number(jobs->value); count && *count > workers) {
    out.replace(jobs->at, jobs->value.size(), std::to_string(workers));
  }
}

void lower_pytest(Args args, unsigned workers, Rewritten& out) {
  const Options options{args, pytest_syntax()};
  const Word* most = last_of(options, '\0', "maxprocesses");
  const auto limit = most == nullptr ? std::nullopt : plain_number(most->value);
  if (limit && *limit > 0 && *limit <= workers) {
    return;
  }
  if (limit && *limit > workers) {
    out.replace(most->at, most->value.size(), std::to_string(workers));
  }
  if (const Word* count = last_of(options, 'n', "numprocesses"); count != nullptr) {
    const std::string_view value = pytest_value(*count);
    if (const auto number = plain_number(value); number && *number > workers) {
      out.replace(count->at, value.size(), std::to_string(workers));
    }
  }
}

bool make_has_jobs(const ClampRequest& request) {
  if (request.tool == "make" &&
      last_of(Options{request.args, make_syntax()}, 'j', "jobs") != nullptr) {
    return true;
  }
  const std::string flags = request.facts->environment("MAKEFLAGS").value_or("");
  std::vector<std::string_view> words = split_words(flags);
  // A first word without a dash is a bundle of option letters.
  const bool bundle = !words.empty() && words[0].find_first_of("-=") == std::string_view::npos;
  return flags.find("--jobserver") != std::string::npos ||
         (bundle && words[0].find('j') != std::string_view::npos) ||
         last_of(Options{words, make_syntax()}, 'j', "jobs") != nullptr;
}

}  // namespace onelane::shims
