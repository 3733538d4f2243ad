#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <system_error>

namespace onelane::multicall {

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

}  // namespace onelane::multicall
