#pragma once

#include <span>
#include <string>
#include <string_view>

namespace onelane::multicall::audit {

/// What stands before a command's own name, taken off.
struct Stripped {
  std::span<const std::string> rest;  ///< The command; empty for none.
  bool in_lane = false;               ///< Behind `onelane run`, `seq` or `safe-run`.
  bool switched_off = false;          ///< ONELANE=off.
  /// What takes the shims off PATH: "env -i", "sudo", "command -p", "PATH=…"; empty for nothing.
  std::string_view loses_path;
};

/// Takes keywords, assignments and commands that run another (`env`, `nice`, `timeout`, `xargs`,
/// `sudo`, `exec` …) off the front of a simple command. Pure.
[[nodiscard]] Stripped strip(std::span<const std::string> words);

/// Behind options: the first word that is none. `with_value` lists the options whose value is the
/// next word, blanks between them.
[[nodiscard]] std::span<const std::string> skip_options(std::span<const std::string> words,
                                                        std::string_view with_value);

/// True when `word` is one of the words of `list`, which has blanks between them.
[[nodiscard]] bool is_in(std::string_view word, std::string_view list);

/// The part behind the last slash.
[[nodiscard]] std::string_view base_of(std::string_view word);

}  // namespace onelane::multicall::audit
