#include "multicall/term/words.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"

namespace onelane::multicall {

using std::chrono::milliseconds;

std::string duration_words(std::chrono::nanoseconds span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  char text[48];
  if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.1fs", std::chrono::duration<double>(span).count());
  } else if (seconds < 60) {
    std::snprintf(text, sizeof text, "%llds", static_cast<long long>(seconds));
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>(seconds / 60),
                  static_cast<long long>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds / 60 % 60));
  }
  return text;
}

std::string ordinal(std::size_t number) {
  const bool teen = number / 10 % 10 == 1;
  const std::size_t last = number % 10;
  const char* ending =
      teen || last == 0 || last > 3 ? "th" : (last == 1 ? "st" : (last == 2 ? "nd" : "rd"));
  return std::to_string(number) + ending;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
  return std::to_string(number).append(" ").append(number == 1 ? one : many);
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/:@%,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string{text};
  }
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  }
  return out + "'";
}

std::string eta_words(std::optional<milliseconds> eta, bool is_overdue) {
  if (!eta) {
    return {};
  }
  return is_overdue ? "longer than usual" : "~" + duration_words(*eta);
}

std::string clock_words(std::int64_t wall_seconds) {
  constexpr std::int64_t kHalfDay = 12 * 3600;
  const std::time_t moment = wall_seconds;
  std::tm local{};
  char text[64];
  const bool recent = sys::wall_seconds() - wall_seconds < kHalfDay;
  if (::localtime_r(&moment, &local) == nullptr ||
      std::strftime(text, sizeof text, recent ? "%H:%M:%S" : "%F %H:%M", &local) == 0) {
    return "?";
  }
  return text;
}

std::string span_words(std::int64_t ms) {
  constexpr std::int64_t kTwoDays = std::int64_t{2} * 86'400'000;
  return ms >= kTwoDays ? std::to_string(ms / 86'400'000) + "d"
                        : duration_words(milliseconds{std::max<std::int64_t>(ms, 0)});
}

std::string size_words(std::uint64_t bytes) {
  constexpr double kMega = 1 << 20;
  const double mega = static_cast<double>(bytes) / kMega;
  char text[48];
  if (mega < 1024) {
    std::snprintf(text, sizeof text, "%.*f MB", mega < 10 ? 1 : 0, mega);
  } else {
    std::snprintf(text, sizeof text, "%.1f GB", mega / 1024);
  }
  return text;
}

std::string for_terminal(std::string_view text, std::size_t limit) {
  return sys::printable(text, limit);
}

}  // namespace onelane::multicall
