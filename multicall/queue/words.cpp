#include "multicall/queue/words.hpp"

#include <chrono>
#include <optional>

#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {

using std::chrono::milliseconds;

std::string starter_words(const queue::Starter& starter) {
  return sys::printable(starter.user, 100) + " (pid " + std::to_string(starter.pid) + ", for " +
         span_words(sys::wall_milliseconds() - starter.since_wall_ms) + ")";
}

std::string forecast_words(journal::Usual& usual, const std::string& command,
                           const std::vector<std::string>& later) {
  const auto own = usual.duration_of(command);
  if (!own) {
    return {};
  }
  std::optional<milliseconds> all = own;
  for (const std::string& other : later) {
    const auto more = usual.duration_of(other);
    all = all && more ? std::optional{*all + *more} : std::nullopt;
  }
  return " (usually " + duration_words(*own) +
         (all && !later.empty() ? "; about " + duration_words(*all) + " to go" : "") + ")";
}

std::string batch_end_words(const BatchEnd& end) {
  std::string text = "queue: " + std::to_string(end.passed) + " passed";
  if (end.failed > 0) {
    text += ", " + std::to_string(end.failed) + " failed";
  }
  if (end.left > 0) {
    text += ", " + std::to_string(end.left) + " not started";
  }
  return text + (end.begun > 0 ? " (batch " + end.id + ")" : "");
}

}  // namespace onelane::multicall
