#include "core/queue/queue.hpp"

#include <algorithm>
#include <array>

namespace onelane::queue {
namespace {

constexpr std::array<std::string_view, 5> kWords{"queued", "running", "passed", "failed",
                                                 "interrupted"};

}  // namespace

std::string_view word_of(State state) noexcept {
  return kWords[static_cast<std::size_t>(state)];
}

std::optional<State> state_of(std::string_view word) noexcept {
  const auto found = std::ranges::find(kWords, word);
  if (found == kWords.end()) {
    return std::nullopt;
  }
  return static_cast<State>(found - kWords.begin());
}

Entry* find(Queue& queue, std::uint64_t id) noexcept {
  const auto found = std::ranges::find(queue.entries, id, &Entry::id);
  return found == queue.entries.end() ? nullptr : &*found;
}

Entry* next_of(Queue& queue) noexcept {
  const auto found = std::ranges::find(queue.entries, State::Queued, &Entry::state);
  return found == queue.entries.end() ? nullptr : &*found;
}

std::size_t count(const Queue& queue, State state) noexcept {
  return static_cast<std::size_t>(std::ranges::count(queue.entries, state, &Entry::state));
}

bool is_unfinished(const Entry& entry) noexcept {
  return entry.state != State::Passed && entry.state != State::Failed;
}

bool move(Queue& queue, std::uint64_t id, std::size_t position) {
  const Entry* found = find(queue, id);
  if (found == nullptr || found->state != State::Queued) {
    return false;
  }
  Entry moved = *found;
  std::erase_if(queue.entries, [&](const Entry& entry) { return entry.id == id; });
  auto place = queue.entries.begin();
  for (auto it = place; it != queue.entries.end() && position > 0; ++it) {
    const bool waits = it->state == State::Queued;
    position -= waits ? 1U : 0U;
    // After every entry that has begun, and after as many queued ones as come before it.
    place = waits && position == 0 ? it : it + 1;
  }
  queue.entries.insert(place, std::move(moved));
  return true;
}

void forget_starter(Queue& queue, std::int64_t now_wall_ms) {
  queue.starter.reset();
  queue.is_stopping = false;
  interrupt(queue, now_wall_ms);
}

void interrupt(Queue& queue, std::int64_t now_wall_ms) {
  for (Entry& entry : queue.entries) {
    if (entry.state == State::Running) {
      // Keeps its environment: it may be run again.
      entry.state = State::Interrupted;
      entry.ended_wall_ms = now_wall_ms;
    }
  }
}

void finish(Entry& entry, State state, std::optional<std::int64_t> code, std::int64_t now_wall_ms) {
  entry.state = state;
  entry.code = code;
  entry.ended_wall_ms = now_wall_ms;
  if (state != State::Interrupted) {
    entry.environment.reset();
  }
}

}  // namespace onelane::queue
