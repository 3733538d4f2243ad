#include "multicall/cli/shared_options.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "core/sys/clock.hpp"
#include "core/sys/values.hpp"

namespace onelane::multicall {
namespace {

std::optional<std::int64_t> parse_span(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const char unit = text.back();
  if (unit == 'd' || unit == 'w') {
    const auto count = sys::parse_count(text.substr(0, text.size() - 1));
    if (!count || *count > 36'500) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(*count) * (unit == 'd' ? 1 : 7) * 86'400'000;
  }
  // No bare numbers: some readers would expect seconds and others days.
  const auto span = unit >= 'a' && unit <= 'z' ? sys::parse_duration(text) : std::nullopt;
  return span ? std::optional{std::int64_t{span->count()}} : std::nullopt;
}

std::optional<std::int64_t> parse_date(const std::string& text) {
  constexpr std::array kForms{"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S",
                              "%Y-%m-%d %H:%M:%S"};
  for (const char* form : kForms) {
    std::tm date{};
    const char* end = ::strptime(text.c_str(), form, &date);
    if (end == nullptr || *end != '\0') {
      continue;
    }
    const int day = date.tm_mday;
    date.tm_isdst = -1;
    const std::time_t seconds = std::mktime(&date);
    // mktime(3) turns the 31st of February into a day in March.
    return date.tm_mday == day ? std::optional{std::int64_t{seconds} * 1000} : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void add_colour(Options& app, Paint::When& when) {
  const auto read = [&when](const std::string& word) {
    when = word == "always"  ? Paint::When::Always
           : word == "never" ? Paint::When::Never
                             : Paint::When::Auto;
  };
  app.add_option_function("--color", read, "whether to paint (auto)")
      ->check(one_of({"auto", "always", "never"}));
}

std::optional<std::int64_t> parse_since(std::string_view text, std::int64_t now_wall_ms) {
  if (text == "all") {
    return 0;
  }
  if (const auto span = parse_span(text)) {
    return std::max(now_wall_ms - *span, std::int64_t{0});
  }
  return parse_date(std::string{text});
}

void add_since(Options& app, std::int64_t& wall_ms, const std::string& what) {
  const auto read = [&wall_ms](const std::string& text) {
    wall_ms = parse_since(text, sys::wall_milliseconds()).value_or(wall_ms);
  };
  app.add_option_function("--since", read, what + ": 7d, 3h, 45m, or a date as 2026-11-01")
      ->type_name("WHEN")
      ->check(must_be("7d, 3h, 45m, all or a date as 2026-11-01", [](const std::string& text) {
        return parse_since(text, sys::wall_milliseconds()).has_value();
      }));
}

}  // namespace onelane::multicall
