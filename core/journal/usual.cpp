#include "core/journal/usual.hpp"

#include <algorithm>

#include "core/journal/journal.hpp"
#include "core/journal/skim.hpp"

namespace onelane::journal {
namespace {

constexpr std::size_t kKeyWords = 3;
constexpr std::size_t kLongestKind = 100;

}  // namespace

std::string_view kind_of(std::string_view command) noexcept {
  command = command.substr(0, kLongestKind);
  std::size_t at = 0;
  for (std::size_t word = 0; word < kKeyWords && at != std::string_view::npos; ++word) {
    at = command.find(' ', word == 0 ? 0 : at + 1);
  }
  return command.substr(0, at);
}

void Usual::read() {
  was_read_ = true;
  Skimmer skimmer;
  std::size_t seen = 0;
  for_each(directory_, Order::NewestFirst, [&](std::string_view line) {
    const Skim* run = skimmer.read(line);
    // A server that gave the lane back ends as it likes: that it had it so long is known.
    if (run != nullptr && run->is_run() &&
        (run->reason == Reason::Exited || run->released_ms > 0)) {
      auto& durations = durations_[std::string{kind_of(run->command)}];
      if (durations.size() < kEnough) {
        durations.push_back(run->held_ms());
      }
    }
    return ++seen < kMost;
  });
}

std::optional<std::chrono::milliseconds> Usual::duration_of(std::string_view command) {
  if (!was_read_) {
    read();
  }
  const auto it = durations_.find(kind_of(command));
  if (it == durations_.end() || it->second.size() < kFewest) {
    return std::nullopt;
  }
  std::vector<std::int64_t>& durations = it->second;
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::ranges::nth_element(durations, middle);
  return std::chrono::milliseconds{*middle};
}

}  // namespace onelane::journal
