#include <array>
#include <string_view>

#include "shims/args.hpp"
#include "shims/git.hpp"

namespace onelane::shims::git {
namespace {

/// True for options that make any command read its work from standard input.
bool names_input(std::string_view word) {
  return one_of(word, {"--stdin", "--stdin-paths", "--stdin-packs", "--stdin-commits",
                       "--index-info", "--file=-", "--pathspec-from-file=-"}) ||
         (word.starts_with('-') && !word.starts_with("--") && word.ends_with("F-"));
}

/// True for options that read the file named after them, where `-` is standard input.
bool names_file(std::string_view word) {
  return one_of(word, {"--file", "--pathspec-from-file"}) ||
         (word.starts_with('-') && !word.starts_with("--") && word.ends_with('F'));
}

bool names_input(Args args) {
  for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    const bool takes_dash = i + 1 < args.size() && args[i + 1] == "-" && names_file(args[i]);
    if (names_input(args[i]) || takes_dash) {
      return true;
    }
  }
  return false;
}

/// `git apply` and `git am` read standard input when no file is named.
bool names_no_file(const Options& options) {
  return options.operands().empty() || options.operand(0) == "-";
}

bool reads_patch(Args args) {
  static constexpr auto kLongs = std::to_array<std::string_view>(
      {"build-fake-ancestor=", "directory=", "exclude=", "include=", "whitespace="});
  return names_no_file(Options{args, {.shorts = "p:C:", .longs = kLongs}});
}

bool reads_mailbox(Args args) {
  static constexpr auto kLongs = std::to_array<std::string_view>(
      {"abort", "allow-empty", "continue",
       "directory=", "empty=", "exclude=", "include=", "patch-format=", "quit",
       "quoted-cr=", "resolved", "resolvemsg=", "retry", "skip", "whitespace="});
  const Options options{args, {.shorts = "C:p:S?", .longs = kLongs}};
  return names_no_file(options) && !options.has_any("r", {"abort", "allow-empty", "continue",
                                                          "quit", "resolved", "retry", "skip"});
}

}  // namespace

bool reads_input(std::string_view command, Args args) {
  if (one_of(command, {"fast-import", "pack-objects", "unpack-objects"})) {
    return true;
  }
  return names_input(args) || (command == "apply" && reads_patch(args)) ||
         (command == "am" && reads_mailbox(args));
}

}  // namespace onelane::shims::git
