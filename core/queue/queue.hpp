#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Commands recorded to be run later, one after another. Does not know the lane: the code that
/// starts an entry makes it a run like any other.
namespace onelane::queue {

/// State of an entry. The words in the file are stable: see word_of.
enum class State : std::uint8_t {
  Queued,       ///< "queued": not started yet.
  Running,      ///< "running": started; valid while the start that runs it lives.
  Passed,       ///< "passed": it exited with 0.
  Failed,       ///< "failed": any other code, death by a signal, or it could not be started.
  Interrupted,  ///< "interrupted": cut short, or its end was not seen. Never run again unasked.
};
[[nodiscard]] std::string_view word_of(State state) noexcept;
[[nodiscard]] std::optional<State> state_of(std::string_view word) noexcept;

/// "NAME=value" each, in the format of execve(2).
using Environment = std::vector<std::string>;

/// What `onelane run --atoms` was asked for; the command is split when it is started.
struct AtomsWish {
  std::string which;       ///< "tools" or "pytest-file"; empty: do not split.
  std::uint64_t size = 0;  ///< Files per command; 0: a number that suits the tool.
  bool is_forced = false;
};

struct Entry {
  std::uint64_t id = 0;                            ///< From 1; never reused.
  std::vector<std::string> argv;                   ///< Never empty; no NUL inside.
  std::string cwd;                                 ///< Absolute.
  std::shared_ptr<const Environment> environment;  ///< Null for none, and after the end.
  std::vector<std::string> options;  ///< Options of `onelane run`, as on its command line.
  AtomsWish atoms;
  std::string label;
  std::string user;
  std::string agent;  ///< The agent or CI that added it, empty for a person.
  bool is_deferred = false;
  State state = State::Queued;
  std::int64_t added_wall_ms = 0;  ///< Milliseconds since the epoch, like all `_wall_ms`.
  std::int64_t started_wall_ms = 0;
  std::int64_t ended_wall_ms = 0;
  std::optional<std::int64_t> code;  ///< 128 + n after death by signal n.
  std::string run;                   ///< Run id in the journal, empty without a record.
  std::string queue_start;  ///< Id of the queue start that ran it, empty before it was run.
};

/// The process that runs the queue. Exists exactly as long as its lock: see Store::is_started.
struct Starter {
  std::int32_t pid = 0;
  std::string user;
  std::string queue_start;  ///< Its run id in the journal.
  std::int64_t since_wall_ms = 0;
};

struct Queue {
  std::uint64_t next_id = 1;
  bool is_closed = false;           ///< No entry may be added.
  std::int64_t paused_wall_ms = 0;  ///< Since when no entry may begin; 0 if they may.
  bool is_stopping = false;         ///< The start that runs it ends before the next entry.
  std::optional<Starter> starter;
  std::vector<Entry> entries;  ///< In running order.
};

inline constexpr std::size_t kMostEntries = 20'000;

/// The entry `id`, nullptr when there is none.
[[nodiscard]] Entry* find(Queue& queue, std::uint64_t id) noexcept;

/// The first queued entry, nullptr when there is none.
[[nodiscard]] Entry* next_of(Queue& queue) noexcept;

/// Number of entries in that state.
[[nodiscard]] std::size_t count(const Queue& queue, State state) noexcept;

/// True for an entry without a result: it neither passed nor failed.
[[nodiscard]] bool is_unfinished(const Entry& entry) noexcept;

/// Moves the queued entry `id` to be the `position`th of those queued, from 1, or the last when
/// there are fewer. The others keep their order. False when `id` is not queued.
bool move(Queue& queue, std::uint64_t id, std::size_t position);

/// Call it when the process that ran the queue is dead: its running entry is interrupted.
void interrupt(Queue& queue, std::int64_t now_wall_ms);

/// The same, and also clears the starter.
void forget_starter(Queue& queue, std::int64_t now_wall_ms);

/// Ends an entry and drops its environment, which is no longer needed.
void finish(Entry& entry, State state, std::optional<std::int64_t> code, std::int64_t now_wall_ms);

}  // namespace onelane::queue
