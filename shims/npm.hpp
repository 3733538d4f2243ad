#pragma once

#include <string_view>
#include <vector>

#include "shims/shim.hpp"

/// npm's command line and tables. Not for use outside shims/.
namespace onelane::shims::npm {

/// An npm command line, parsed the way npm does: options anywhere, until `--`.
struct Call {
  std::vector<std::string_view> operands;  ///< The command first, as written.
  bool answers = false;                    ///< `--version` or `--help` was given anywhere.
  bool dry_run = false;
  bool yes = false;
  std::string_view prefix;  ///< The last `--prefix` or `-C`.
  std::string_view call;    ///< TEXT of `npm exec -c TEXT`.

  [[nodiscard]] std::string_view operand(std::size_t n) const {
    return n < operands.size() ? operands[n] : std::string_view{};
  }
};

[[nodiscard]] Call read_call(Args args);

/// One npm command, and its class when its arguments do not change it.
struct Command {
  std::string_view name;
  Class cls = Class::Lane;
  std::string_view reason;
  Decision (*refine)(const Call& call, const Facts& facts, const Decision& row) = nullptr;
};

/// The command that npm 11 runs for `written`: exact, alias, typo alias, camelCase or unambiguous
/// prefix. nullptr when npm knows none.
[[nodiscard]] const Command* find_command(std::string_view written);

}  // namespace onelane::shims::npm
