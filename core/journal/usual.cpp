#include "core/journal/usual.hpp"

#include <algorithm>

#include "core/journal/journal.hpp"

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

std::string kind_of(const Record& run) {
  constexpr std::size_t kRoom = 4;  // a cut, at whatever byte of a character, is behind the kind
  const std::string command = command_text(run, kLongestKind + kRoom);
  return std::string{kind_of(command.empty() ? std::string_view{run.tool} : command)};
}

void Usual::read(std::optional<std::string_view> kind) {
  was_read_ = true;
  is_complete_ = true;
  durations_.clear();
  LineReader reader;
  Record run;
  std::size_t seen = 0;
  for_each(directory_, Order::NewestFirst, [&](std::string_view line) {
    // A server that gave the lane back ends as it likes: that it had it so long is known.
    if (reader.read(line, run) && is_run(run) &&
        (run.reason == Reason::Exited || run.released_ms > 0)) {
      const std::string found = kind_of(run);
      auto& durations = durations_[found];
      if (durations.size() < kEnough) {
        durations.push_back(held_ms(run));
      }
      if (durations.size() == kEnough && found == kind) {
        is_complete_ = false;
        return false;
      }
    }
    return ++seen < kMost;
  });
}

std::optional<std::chrono::milliseconds> Usual::duration_of(std::string_view command) {
  const std::string_view kind = kind_of(command);
  const auto has_enough = [&] {
    const auto it = durations_.find(kind);
    return it != durations_.end() && it->second.size() == kEnough;
  };
  if (!is_complete_ && !has_enough()) {
    read(was_read_ ? std::nullopt : std::optional{kind});
  }
  const auto it = durations_.find(kind);
  if (it == durations_.end() || it->second.size() < kFewest) {
    return std::nullopt;
  }
  std::vector<std::int64_t>& durations = it->second;
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::ranges::nth_element(durations, middle);
  return std::chrono::milliseconds{*middle};
}

}  // namespace onelane::journal
