#include "multicall/verbs/queue_options.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/sys/text.hpp"
#include "core/sys/values.hpp"
#include "multicall/verbs/run_options.hpp"

namespace onelane::multicall {
namespace {

bool is_duration(const std::string& text) {
  return sys::parse_duration(text).has_value();
}
bool is_size(const std::string& text) {
  return sys::parse_megabytes(text).has_value();
}
bool is_count(const std::string& text) {
  return sys::parse_count(text).has_value();
}
bool is_priority(const std::string& text) {
  const auto value = sys::parse_count(text.starts_with('-') ? text.substr(1) : text);
  return value && *value <= 100;
}
bool is_signal(const std::string& text) {
  return signal_number(text).has_value();
}
bool is_retry(const std::string& text) {
  const auto value = sys::parse_count(text);
  return value && *value <= kMostRetries;
}
bool is_word(const std::string& text) {
  return !text.empty();
}

struct RunOption {
  const char* name;
  const char* help;
  bool (*fits)(const std::string& value);
  const char* form;  ///< What fits.
  const char* label;
};

constexpr auto kRunOptions = std::to_array<RunOption>({
    {"--timeout", "end it after so long: 30, 500ms, 10m", &is_duration, "a duration", "DURATION"},
    {"--kill-signal", "the signal that ends it first", &is_signal, "a signal", "SIGNAL"},
    {"--retry", "try so often again when it fails", &is_retry, "a number up to 1000", "N"},
    {"--retry-delay", "so long between two attempts", &is_duration, "a duration", "DURATION"},
    {"--memory", "limit of one process, in MB, or 512M, 2G", &is_size, "a size", "MB"},
    {"--tree-memory", "limit of all its processes together", &is_size, "a size", "MB"},
    {"--max-processes", "so many processes at most", &is_count, "a number", "N"},
    {"--priority", "higher goes first in the lane, -100 to 100", &is_priority, "a priority", "N"},
    {"--log", "what it prints goes to this file as well", &is_word, "a file", "FILE"},
});

/// `before` with the values of `changes`, which replace those of the same name.
std::vector<std::string> merged_options(std::vector<std::string> before,
                                        const std::vector<std::string>& changes) {
  for (std::size_t i = 0; i + 1 < changes.size(); i += 2) {
    bool is_new = true;
    for (std::size_t j = 0; j + 1 < before.size(); j += 2) {
      if (before[j] == changes[i]) {
        before[j + 1] = changes[i + 1];
        is_new = false;
      }
    }
    if (is_new) {
      before.push_back(changes[i]);
      before.push_back(changes[i + 1]);
    }
  }
  return before;
}

}  // namespace

const Option* add_entry_options(Options& app, QueueEntryOptions& options) {
  for (const RunOption& option : kRunOptions) {
    const auto take = [&options, &option](const std::string& value) {
      options.run = merged_options(std::move(options.run), {option.name, value});
    };
    app.add_option_function(option.name, take, option.help)
        ->type_name(option.label)
        ->check([&option](const std::string& value) {
          return option.fits(value) ? std::string{}
                                    : "'" + sys::clean(value) + "' is not " + option.form;
        });
  }
  const Option* atoms = add_atoms(app, options.atoms);
  app.add_option("--label", options.label, "what you call it; shown and recorded");
  return atoms;
}

void set_entry_options(queue::Entry& entry, const QueueEntryOptions& options) {
  entry.options = merged_options(std::move(entry.options), options.run);
  entry.label = options.label.value_or(entry.label);
  if (options.atoms.are_wanted()) {
    entry.atoms = {options.atoms.which, options.atoms.size, options.atoms.force};
  }
}

std::string retry_fault(const std::vector<std::string>& options) {
  const auto has = [&](std::string_view name) {
    for (std::size_t i = 0; i < options.size(); i += 2) {
      if (options[i] == name) {
        return true;
      }
    }
    return false;
  };
  return has("--retry-delay") && !has("--retry") ? "--retry-delay requires --retry" : "";
}

std::optional<int> refuse_entry_atoms(const queue::Entry& entry) {
  AtomOptions options;
  options.which = entry.atoms.which;
  options.force = entry.atoms.is_forced;
  std::vector<std::string> words = entry.argv;
  std::vector<char*> argv;
  std::ranges::transform(words, std::back_inserter(argv), [](auto& word) { return word.data(); });
  return refuse_atoms(options, make_call(static_cast<int>(argv.size()), argv.data()));
}

}  // namespace onelane::multicall
