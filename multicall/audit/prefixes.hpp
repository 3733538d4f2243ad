#pragma once

#include <span>
#include <string>
#include <string_view>

namespace onelane::multicall::audit {

/// A command without its prefixes, and what they do.
struct Stripped {
  std::span<const std::string> rest;  ///< The command; empty for none.
  bool in_lane = false;               ///< After `onelane run`, `seq` or `safe-run`.
  bool switched_off = false;          ///< ONELANE=off.
  /// What removes the shims from PATH: "env -i", "sudo", "command -p", "PATH=…"; empty for nothing.
  std::string_view loses_path;
};

/// Removes keywords, assignments and commands that run another command (`env`, `nice`, `timeout`,
/// `xargs`, `sudo`, `exec` …) from the front of a simple command. Pure.
[[nodiscard]] Stripped strip(std::span<const std::string> words);

/// `words` from the first one that is not an option. `with_value` lists the options whose value is
/// the next word, separated by blanks.
[[nodiscard]] std::span<const std::string> skip_options(std::span<const std::string> words,
                                                        std::string_view with_value);

/// True if `word` is in `list`, whose words are separated by blanks.
[[nodiscard]] bool is_in(std::string_view word, std::string_view list);

/// The part after the last slash.
[[nodiscard]] std::string_view base_of(std::string_view word);

}  // namespace onelane::multicall::audit
