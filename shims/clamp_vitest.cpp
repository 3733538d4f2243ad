#include <algorithm>
#include <array>
#include <string>

#include "shims/clamp.hpp"
#include "shims/npm.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

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
