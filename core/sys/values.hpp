#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::sys {

/// `30`, `2.5` (seconds), `500ms`, `30s`, `10m`, `2h`; at most a year. nullopt for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Megabytes: `2048`, `512M`, `2G`; at most 2^40. nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_megabytes(std::string_view text);

/// A non-negative whole number, at most 2^40.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// `8`, `2.5`; not negative, at most 10^9. nullopt for anything else.
[[nodiscard]] std::optional<double> parse_decimal(std::string_view text);

/// `0-3,8`: processors below 1024, in order, each once. nullopt for anything else.
[[nodiscard]] std::optional<std::vector<int>> parse_cpu_list(std::string_view text);

/// 1/0, true/false, yes/no, on/off, in any case.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);

/// The parts between commas, trimmed and without empty ones.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// The shortest text that parse_duration reads back as `value`: `30m`, `2500ms`, `0`.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds value);

/// `text` without spaces, tabs and CR at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace onelane::sys
