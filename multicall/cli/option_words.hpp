#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "multicall/cli/options.hpp"

namespace onelane::multicall {

/// The words of a verb, told apart before any value is read.
struct OptionWords {
  std::vector<std::string> ours;  ///< Name and value in turn, flags, positionals.
  std::size_t remaining = 0;      ///< Words of the command, all at the end.
  bool asks_for_help = false;
  std::string fault;  ///< What no verb accepts: "no option --al; did you mean --all?".
};

/// Tells apart what belongs to `options`. `=` ends the value, which may be empty; `--` is no value.
[[nodiscard]] OptionWords split_words(const Options& options, std::span<char* const> words);

/// What is wrong with `value` for `option`, in our own words; empty where it fits.
[[nodiscard]] std::string value_fault(const Option& option, const std::string& value);

}  // namespace onelane::multicall
