#include "multicall/verbs/queue_options.hpp"

#include <algorithm>
#include <iterator>

#include "multicall/verbs/run_options.hpp"

namespace onelane::multicall {
namespace {

/// The value of the option `name` among names and values in turn; null if it is not given.
template <class Words>
auto* value_among(Words& words, std::string_view name) {
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == name) {
      return &words[i + 1];
    }
  }
  return decltype(words.data()){};
}

}  // namespace

void add_entry_options(Options& app, QueueEntryOptions& options) {
  add_options_of_run(app, options.run);
  add_atoms(app, options.atoms);
  app.add_option("--label", options.label, "a name for it; shown and recorded");
}

void set_entry_options(queue::Entry& entry, const QueueEntryOptions& options) {
  for (std::size_t i = 0; i + 1 < options.run.size(); i += 2) {
    if (std::string* value = value_among(entry.options, options.run[i]); value != nullptr) {
      *value = options.run[i + 1];
    } else {
      entry.options.insert(entry.options.end(), {options.run[i], options.run[i + 1]});
    }
  }
  entry.label = options.label.value_or(entry.label);
  if (options.atoms.are_wanted()) {
    entry.atoms = {options.atoms.which, options.atoms.size, options.atoms.force};
  }
}

bool has_option(const queue::Entry& entry, std::string_view name) {
  return value_among(entry.options, name) != nullptr;
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
