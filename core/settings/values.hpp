#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::settings {

/// `30`, `2.5` (seconds), `500ms`, `30s`, `10m`, `2h`; at most a year. Nothing for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Megabytes: `2048`, `512M`, `2G`; at most 2^40. Nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_megabytes(std::string_view text);

/// A whole number that is not negative, at most 2^40.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// `8`, `2.5`; not negative, at most 10^9. Nothing for anything else.
[[nodiscard]] std::optional<double> parse_decimal(std::string_view text);

/// `0-3,8`: processors below 1024, in order, each once. Nothing for anything else.
[[nodiscard]] std::optional<std::vector<int>> parse_cpu_list(std::string_view text);

/// 1/0, true/false, yes/no, on/off, in any case.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);

/// Parts between commas, trimmed, empty ones left out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// The shortest text that parse_duration reads back as `value`: `30m`, `2500ms`, `0`.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds value);

/// Without blanks and tabs (and CR) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

/// `text` for a terminal: what is not printable ASCII as '?', cut at `limit` with `...`.
[[nodiscard]] std::string clean(std::string_view text, std::size_t limit = 60);

/// True when `text` holds a byte below 0x20 or 0x7f.
[[nodiscard]] bool has_control(std::string_view text);

/// True for what a tool of a project may be called: letters, digits, '.', '_', '+' and '-', 64 at
/// most, the first one neither '.' nor '-'.
[[nodiscard]] bool is_tool_name(std::string_view name);

/// The candidate that `text` was probably meant to be (edit distance 2 or less), or empty.
[[nodiscard]] std::string_view nearest(std::string_view text,
                                       const std::vector<std::string_view>& candidates);

}  // namespace onelane::settings
