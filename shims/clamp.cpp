#include "shims/clamp.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "shims/npm.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

class Clamping {
 public:
  explicit Clamping(const ClampRequest& request)
      : request_{request},
        hard_{request.mode == Clamp::Hard},
        pytest_{request.pytest_workers > 0 ? request.pytest_workers : request.workers} {}

  Clamped result() {
    bound_pytest();
    if (request_.workers > 0) {
      bound_others();
      bound_vitest();
    }
    if (hard_) {
      lower_flags();
      lower_args();
      const unsigned workers = request_.tool == "pytest" ? pytest_ : request_.workers;
      out_.affinity = workers < request_.processors ? workers : 0;
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is_set(std::string_view name) const {
    return request_.facts->environment(name).has_value();
  }

  void set(std::string_view name, std::string value) {
    out_.environment.emplace_back(name, std::move(value));
  }

  /// Hard: lowers a larger number set by the user. True when the user has set the variable.
  bool is_users(std::string_view name, unsigned workers) {
    const auto own = request_.facts->environment(name);
    if (!own) {
      return false;
    }
    if (const auto count = plain_number(*own); hard_ && count && *count > workers) {
      change(name, *own, std::to_string(workers));
    }
    return true;
  }

  void change(std::string_view name, const std::string& from, const std::string& to) {
    set(name, to);
    out_.changes.push_back(std::string{name} + "=" + from + " -> " + to);
  }

  void bound_pytest() {
    constexpr std::string_view kName = "PYTEST_XDIST_AUTO_NUM_WORKERS";
    // PYTHON_CPU_COUNT sets the same bound for Python itself (3.13).
    if (pytest_ == 0 || is_users(kName, pytest_) || (!hard_ && is_set("PYTHON_CPU_COUNT"))) {
      return;
    }
    set(kName, std::to_string(std::min(pytest_, request_.processors)));
  }

  void bound_others() {
    const std::string workers = std::to_string(request_.workers);
    for (const char* name : {"CARGO_BUILD_JOBS", "GOMAXPROCS", "RAYON_NUM_THREADS"}) {
      if (!is_users(name, request_.workers) && request_.workers < request_.processors) {
        set(name, workers);
      }
    }
    constexpr std::string_view kCMake = "CMAKE_BUILD_PARALLEL_LEVEL";
    const std::string generator = request_.facts->environment("CMAKE_GENERATOR").value_or("");
    if (!is_users(kCMake, request_.workers) && !make_has_jobs(request_) &&
        generator.find("Makefiles") == std::string::npos) {
      // ninja uses two jobs more than there are processors.
      set(kCMake, std::to_string(std::min(request_.workers, request_.processors + 2)));
    }
    constexpr std::string_view kPreCommit = "PRE_COMMIT_NO_CONCURRENCY";
    if (request_.workers == 1 && !is_set(kPreCommit)) {
      set(kPreCommit, "1");
    }
  }

  void bound_vitest() {
    bool users = false;
    for (const char* name : {"VITEST_MAX_FORKS", "VITEST_MAX_THREADS", "VITEST_MAX_WORKERS",
                             "VITEST_MIN_FORKS", "VITEST_MIN_THREADS", "VITEST_MIN_WORKERS"}) {
      users = is_users(name, request_.workers) || users;
    }
    const VitestCount count = users ? VitestCount::Within : vitest_count(request_);
    if (count == VitestCount::Within || (!hard_ && count != VitestCount::Automatic)) {
      return;
    }
    const unsigned automatic = request_.watches ? request_.processors / 2 : request_.processors - 1;
    const unsigned most = count == VitestCount::Automatic ? std::max(automatic, 1U)
                          : count == VitestCount::Unseen  ? request_.processors
                                                          : request_.workers;
    const std::string bound = std::to_string(std::min(request_.workers, most));
    for (const char* name : {"VITEST_MAX_FORKS", "VITEST_MAX_THREADS", "VITEST_MAX_WORKERS"}) {
      set(name, bound);
    }
    if (hard_ && vitest_has_minimum(request_)) {
      set("VITEST_MIN_FORKS", "1");  // vitest 3 refuses a smallest above the largest.
      set("VITEST_MIN_THREADS", "1");
    }
  }

  /// Lowers counts that tools read from a variable with command-line flags.
  void lower_flags() {
    const std::string added = request_.facts->environment("PYTEST_ADDOPTS").value_or("");
    Rewritten pytest{{}};
    const auto words = split_words(added);
    if (pytest_ > 0) {
      pytest = Rewritten{words};
      lower_pytest(words, pytest_, pytest);
    }
    if (pytest.any()) {
      // Quotes are left alone: the option that bounds `-n` is appended.
      change("PYTEST_ADDOPTS", added, added + " --maxprocesses=" + std::to_string(pytest_));
    }
    const std::string flags = request_.facts->environment("MAKEFLAGS").value_or("");
    const bool shared = flags.find("--jobserver") != std::string::npos;
    const auto make_words = split_words(flags);
    if (request_.workers == 0 || shared || make_words.empty() || !flags.starts_with('-') ||
        flags.find('\\') != std::string::npos) {
      return;
    }
    Rewritten make{make_words};
    lower_make(make_words, request_.workers, make);
    if (make.any()) {
      std::string lowered;
      for (const std::string& word : make.words()) {
        lowered += (lowered.empty() ? "" : " ") + word;
      }
      change("MAKEFLAGS", flags, lowered);
    }
  }

  void lower_args() {
    Rewritten out{request_.args};
    const std::string flags = request_.facts->environment("MAKEFLAGS").value_or("");
    if (request_.tool == "pytest") {
      lower_pytest(request_.args, pytest_, out);
    } else if (request_.workers == 0) {
      return;
    } else if (request_.tool == "make" && flags.find("--jobserver") == std::string::npos) {
      lower_make(request_.args, request_.workers, out);
    } else if (request_.tool == "vitest") {
      lower_vitest(request_.args, request_.workers, request_.processors, out);
    }
    if (out.any()) {
      out_.args = out.words();
      out_.changes.insert(out_.changes.end(), out.changes().begin(), out.changes().end());
    }
  }

  const ClampRequest& request_;
  bool hard_;
  unsigned pytest_;
  Clamped out_;
};

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

// Names of worker counts, in config files and (the last part) on the command line.
constexpr auto kCounts = std::to_array<std::string_view>(
    {"maxForks", "maxThreads", "maxWorkers", "minForks", "minThreads", "minWorkers"});
constexpr auto kOnes =
    std::to_array<std::string_view>({"fileParallelism", "singleFork", "singleThread"});

/// `max-workers` in vitest's own spelling, `maxWorkers`.
std::string camel_case(std::string_view name) {
  std::string camel;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool joins = name[i] == '-' && i + 1 < name.size();
    camel.push_back(joins ? static_cast<char>(name[++i] & ~0x20) : name[i]);
  }
  return camel;
}

/// Last part of an option's name: `maxForks` of `--poolOptions.forks.maxForks=4`; empty for
/// anything that is not a long option.
std::string option_name(std::string_view word) {
  if (!word.starts_with("--") || word.size() == 2) {
    return {};
  }
  word.remove_prefix(word.starts_with("--no-") ? 5 : 2);
  word = word.substr(0, word.find('='));
  const auto dot = word.rfind('.');
  return camel_case(dot == std::string_view::npos ? word : word.substr(dot + 1));
}

template <class List>
bool is_in(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

bool names_count(Args words) {
  for (const std::string_view word : words) {
    if (word == "--") {
      return false;
    }
    const std::string name = option_name(word);
    if (is_in(kCounts, name) || is_in(kOnes, name) || word == "bench") {
      return true;  // Benchmarks run one by one, which VITEST_MAX_WORKERS would undo.
    }
  }
  return false;
}

/// The words of an npm script that consists of one vitest command; empty for any other.
std::vector<std::string_view> vitest_script(std::string_view text) {
  if (text.find_first_of(";&|$`()<>\n") != std::string_view::npos) {
    return {};
  }
  std::vector<std::string_view> words = split_words(text);
  const auto command = std::ranges::find_if(words, [](std::string_view word) {
    return word.find('=') == std::string_view::npos && !one_of(word, {"npx", "cross-env"});
  });
  if (command == words.end() || base_name(*command) != "vitest") {
    return {};
  }
  return words;
}

/// The words of the vitest command that this call runs, as far as they can be determined.
std::optional<std::vector<std::string>> vitest_words(const ClampRequest& request) {
  std::vector<std::string> words;
  if (request.tool == "npm") {
    const std::string name{npm_name_of(request.args)};
    const std::string text = request.facts->npm_script(name).value_or("");
    const auto script = vitest_script(text);
    const auto runs_more = [&](const std::string& other) {
      return request.facts->npm_script(other).value_or("").find("vitest") != std::string::npos;
    };
    if (script.empty() || runs_more("pre" + name) || runs_more("post" + name)) {
      return std::nullopt;
    }
    words.assign(script.begin(), script.end());
    for (const std::string_view word : request.args) {
      if (word != "--") {
        words.emplace_back(word);
      }
    }
  } else if (request.tool == "vitest") {
    words.assign(request.args.begin(), request.args.end());
  } else {
    return std::nullopt;
  }
  return words;
}

std::optional<std::string> nearest_config(const ClampRequest& request) {
  std::string above;
  for (int level = 0; level < 16; ++level, above += "../") {
    for (const std::string name : {"vitest.config.", "vite.config."}) {
      for (const char* ending : {"ts", "mts", "cts", "js", "mjs", "cjs"}) {
        if (auto text = request.file(above + name + ending)) {
          return text;
        }
      }
    }
  }
  return std::nullopt;
}

/// The config file of the call: `--config`, else the nearest file with a usual name, searching
/// upward.
std::optional<std::string> config_text(const ClampRequest& request, Args words) {
  if (!request.file) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const bool is_long = words[i].starts_with("--config");
    if (!is_long && words[i] != "-c") {
      continue;
    }
    const auto equals = words[i].find('=');
    if (is_long && equals != std::string_view::npos) {
      return request.file(words[i].substr(equals + 1));
    }
    return i + 1 < words.size() ? request.file(words[i + 1]) : std::nullopt;
  }
  return nearest_config(request);
}

std::string config_of(const ClampRequest& request) {
  const auto words = vitest_words(request);
  if (!words) {
    return {};
  }
  const std::vector<std::string_view> views{words->begin(), words->end()};
  return config_text(request, views).value_or("");
}

/// Checks each `maxWorkers: 4` in a config file against the bound. A text search: anything it
/// cannot read counts as above.
VitestCount count_in(std::string_view config, unsigned workers) {
  auto found = VitestCount::Automatic;
  for (const std::string_view name : kOnes) {
    if (config.find(name) != std::string_view::npos) {
      found = VitestCount::Within;
    }
  }
  for (const std::string_view name : kCounts) {
    for (std::size_t at = 0; (at = config.find(name, at)) != std::string_view::npos;) {
      at += name.size();
      const auto start = std::min(config.find_first_not_of("\"': \t", at), config.size());
      const auto end = std::min(config.find_first_not_of("0123456789", start), config.size());
      const auto count = plain_number(config.substr(start, end - start));
      const bool percent = end < config.size() && config[end] == '%';
      if (!count || *count > workers || percent) {
        return VitestCount::Above;
      }
      found = VitestCount::Within;
    }
  }
  return found;
}

/// Number for `50%` of the processors, rounded and bounded the way vitest does it.
std::optional<unsigned long long> vitest_number(std::string_view value, unsigned processors) {
  if (!value.ends_with('%')) {
    return plain_number(value);
  }
  const auto percent = plain_number(value.substr(0, value.size() - 1));
  if (!percent) {
    return std::nullopt;
  }
  const unsigned long long share = (std::min(*percent, 100ULL) * processors + 50) / 100;
  return std::clamp(share, 1ULL, static_cast<unsigned long long>(processors));
}

}  // namespace

Clamped clamp(const ClampRequest& request) {
  if (request.mode == Clamp::Off || (request.workers == 0 && request.pytest_workers == 0)) {
    return {};
  }
  return Clamping{request}.result();
}

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

VitestCount vitest_count(const ClampRequest& request) {
  const auto words = vitest_words(request);
  if (!words) {
    return VitestCount::Unseen;
  }
  const std::vector<std::string_view> views{words->begin(), words->end()};
  if (names_count(views)) {
    // The text of an npm script cannot be changed, but a variable overrides it.
    Rewritten lowered{views};
    lower_vitest(views, request.workers, request.processors, lowered);
    return lowered.any() && request.tool == "npm" ? VitestCount::Above : VitestCount::Within;
  }
  const auto config = config_text(request, views);
  if (!config) {
    return VitestCount::Automatic;
  }
  return config->empty() ? VitestCount::Above : count_in(*config, request.workers);
}

bool vitest_has_minimum(const ClampRequest& request) {
  const std::string config = config_of(request);
  return std::ranges::any_of(kCounts, [&](std::string_view name) {
    return name.starts_with("min") && config.find(name) != std::string::npos;
  });
}

void lower_vitest(Args args, unsigned workers, unsigned processors, Rewritten& out) {
  for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    if (!is_in(kCounts, option_name(args[i]))) {
      continue;
    }
    const auto equals = args[i].find('=');
    if (equals == std::string_view::npos && ++i >= args.size()) {
      return;
    }
    const std::string_view value =
        equals == std::string_view::npos ? args[i] : args[i].substr(equals + 1);
    if (const auto count = vitest_number(value, processors); count && *count > workers) {
      out.replace(i, value.size(), std::to_string(workers));
    }
  }
}

}  // namespace onelane::shims
