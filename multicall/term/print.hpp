#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <system_error>

namespace onelane::multicall {

/// Nobody can be told anything: standard output cannot be written. No SystemError, so that a verb
/// that says what it could not do does not take it for that: main() says it, and ends with 125.
class OutputError : public std::system_error {
 public:
  /// With the current errno.
  OutputError();
};

/// Prints to standard output, which admin commands may use. Throws OutputError when it fails.
void print(std::string_view text);

/// JSON with the control characters escaped that it would let through (DEL, C1): a terminal may
/// obey them. They stand in strings only.
[[nodiscard]] std::string harmless_json(std::string_view text);

/// One line of JSON without its newline: what is not UTF-8 is replaced, and it is
/// harmless_json.
[[nodiscard]] std::string json_line(const nlohmann::json& value);

/// json_line to standard output, with its newline. Throws OutputError.
void print_json(const nlohmann::json& value);

}  // namespace onelane::multicall
