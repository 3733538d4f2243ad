#include "core/sys/values.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace onelane::sys {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 40;
constexpr double kLongestMs = 366.0 * 24 * 3600 * 1000;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Splits `2.5h` into `2.5` and `h`.
std::pair<std::string_view, std::string_view> split_unit(std::string_view text) {
  const auto end = std::ranges::find_if(text, [](char c) { return !is_digit(c) && c != '.'; });
  const auto length = static_cast<std::size_t>(end - text.begin());
  return {text.substr(0, length), trim(text.substr(length))};
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > kLargest) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> parse_megabytes(std::string_view text) {
  const auto [digits, unit] = split_unit(trim(text));
  const auto value = parse_count(digits);
  if (!value || unit.size() > 2 || (unit.size() == 2 && lower(unit[1]) != 'b')) {
    return std::nullopt;
  }
  if (unit.empty() || lower(unit[0]) == 'm') {
    return value;
  }
  if (lower(unit[0]) != 'g' || *value > kLargest / 1024) {
    return std::nullopt;
  }
  return *value * 1024;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto [digits, unit] = split_unit(trim(text));
  double value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value, std::chars_format::fixed);
  if (error != std::errc{} || end != last) {
    return std::nullopt;
  }
  if (unit.empty() || unit == "s") {
    value *= 1000;
  } else if (unit == "m") {
    value *= 60'000;
  } else if (unit == "h") {
    value *= 3'600'000;
  } else if (unit != "ms") {
    return std::nullopt;
  }
  if (value > kLongestMs) {
    return std::nullopt;
  }
  // Rounded up: a limit of 0.0004 s must not turn into 0, which means "none".
  const auto whole = static_cast<std::int64_t>(value);
  return std::chrono::milliseconds{whole + (static_cast<double>(whole) < value ? 1 : 0)};
}

std::optional<double> parse_decimal(std::string_view text) {
  text = trim(text);
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
  // Written so that NaN is refused too.
  const bool fits = error == std::errc{} && end == last && value >= 0 && value <= 1e9;
  return fits ? std::optional{value} : std::nullopt;
}

std::optional<std::vector<int>> parse_cpu_list(std::string_view text) {
  constexpr std::uint64_t kProcessors = 1024;  // of cpu_set_t, CPU_SET(3)
  std::vector<int> list;
  for (const std::string& part : split_list(text)) {
    const std::size_t dash = part.find('-');
    const auto first = parse_count(std::string_view{part}.substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_count(std::string_view{part}.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= kProcessors) {
      return std::nullopt;
    }
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) {
      list.push_back(static_cast<int>(cpu));
    }
  }
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list.empty() ? std::nullopt : std::optional{std::move(list)};
}

std::optional<bool> parse_bool(std::string_view text) {
  std::string word{trim(text)};
  std::ranges::transform(word, word.begin(), lower);
  if (word == "1" || word == "true" || word == "yes" || word == "on") {
    return true;
  }
  if (word == "0" || word == "false" || word == "no" || word == "off") {
    return false;
  }
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const auto comma = text.find(',');
    if (const auto part = trim(text.substr(0, comma)); !part.empty()) {
      parts.emplace_back(part);
    }
    if (comma == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(comma + 1);
  }
}

std::string format_duration(std::chrono::milliseconds value) {
  const auto ms = value.count();
  if (ms == 0) {
    return "0";
  }
  if (ms % 1000 != 0) {
    return std::to_string(ms) + "ms";
  }
  if (ms % 3'600'000 == 0) {
    return std::to_string(ms / 3'600'000) + "h";
  }
  if (ms % 60'000 == 0) {
    return std::to_string(ms / 60'000) + "m";
  }
  return std::to_string(ms / 1000) + "s";
}

}  // namespace onelane::sys
