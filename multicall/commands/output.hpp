#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "multicall/commands/options.hpp"
#include "multicall/paint.hpp"

namespace onelane::multicall {

/// `--color=auto|always|never`.
void add_colour(Options& app, Paint::When& when);

/// JSON with the control characters escaped that it would let through (DEL, C1): a terminal may
/// obey them. They stand in strings only.
[[nodiscard]] std::string harmless_json(std::string_view text);

/// One line of JSON without its newline: what is not UTF-8 is replaced, and it is
/// harmless_json.
[[nodiscard]] std::string json_line(const nlohmann::json& value);

/// json_line to standard output, with its newline. Throws OutputError.
void print_json(const nlohmann::json& value);

}  // namespace onelane::multicall
