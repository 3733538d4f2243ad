// The small words of every overview; overview.cpp has its lines.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "core/journal/text.hpp"
#include "core/sys/clock.hpp"
#include "multicall/overview.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {

using std::chrono::milliseconds;

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
  return journal::printable(text, limit);
}

}  // namespace onelane::multicall
