#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace onelane::multicall {

/// `text` with each line made safe for a terminal (sys::append_printable): other users may have
/// chosen the names and paths in it.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Writes `onelane: TEXT` and a newline to standard error, through printable_lines() and in one
/// write, so that lines of several processes never mix. Silent with ONELANE_QUIET=1. Never throws.
void say(std::string_view text) noexcept;

/// Like say(), but not silenced by ONELANE_QUIET: for a call that fails, or something that is lost.
void say_always(std::string_view text) noexcept;

[[nodiscard]] bool is_quiet() noexcept;

/// Standard output cannot be written. Not a SystemError, so that a verb that catches those for its
/// own work does not swallow it: main() reports it and exits with 125.
class OutputError : public std::system_error {
 public:
  /// Takes the current errno.
  OutputError();
};

/// Writes to standard output; for `onelane` itself only: in a shim it belongs to the tool. Throws
/// OutputError.
void print(std::string_view text);

/// Escapes the control characters that JSON leaves as they are (DEL, C1), which a terminal may
/// obey. `text` is JSON, where they can only be inside strings.
[[nodiscard]] std::string harmless_json(std::string_view text);

/// One line of JSON without its newline: harmless_json(), with invalid UTF-8 replaced.
[[nodiscard]] std::string json_line(const nlohmann::json& value);

/// Prints json_line() and a newline. Throws OutputError.
void print_json(const nlohmann::json& value);

/// Exit codes of onelane itself; a tool's own exit code is never changed.
inline constexpr int kExitUsage = 64;
inline constexpr int kExitGaveUp = 75;
inline constexpr int kExitBadSettings = 78;
inline constexpr int kExitTimedOut = 124;
inline constexpr int kExitFailed = 125;
inline constexpr int kExitCannotExecute = 126;
inline constexpr int kExitNotFound = 127;
inline constexpr int kExitOverLimit = 137;  ///< Memory or processes: same as after the OOM killer.

enum class Answer { Yes, No, NoTerminal };

/// Asks `QUESTION [y/N]` on standard error and reads one line from standard input; blocks until it
/// comes. NoTerminal unless both are terminals. Anything but a whole line `y` or `yes` is a No; so
/// is end of file, even after a `y` without Enter.
[[nodiscard]] Answer confirm(std::string_view question);

/// For a verb that ends something: confirms `QUESTION?`. Empty for Yes. Else the exit code, after
/// one line: that nothing was ended, or `hint` if no terminal is there to ask on.
[[nodiscard]] std::optional<int> refusal_of(const std::string& question, std::string_view hint);

}  // namespace onelane::multicall
