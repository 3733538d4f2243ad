#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Commands that were put down to be run later, one after the other. Knows no lane: whoever
/// starts them makes each a run like any other.
namespace onelane::queue {

/// What became of an entry. The words in the file are stable: see word_of.
enum class State : std::uint8_t {
  Queued,       ///< "queued": nothing has been run of it.
  Running,      ///< "running": started; true while the start that runs it lives.
  Passed,       ///< "passed": it exited with 0.
  Failed,       ///< "failed": with something else, of a signal, or it could not be started.
  Interrupted,  ///< "interrupted": cut short, or nobody saw its end. Never run again unasked.
};
[[nodiscard]] std::string_view word_of(State state) noexcept;
[[nodiscard]] std::optional<State> state_of(std::string_view word) noexcept;

/// "NAME=value" each, as execve(2) wants them.
using Environment = std::vector<std::string>;

/// What `onelane run --atoms` is asked for; it is split when it is started.
struct AtomsWish {
  std::string which;       ///< "tools" or "pytest-file"; empty: it is not to be split.
  std::uint64_t size = 0;  ///< Files in one command; 0: as many as suit the tool.
  bool is_forced = false;
};

struct Entry {
  std::uint64_t id = 0;                            ///< From 1; not given again.
  std::vector<std::string> argv;                   ///< Never empty; no NUL inside.
  std::string cwd;                                 ///< Absolute.
  std::shared_ptr<const Environment> environment;  ///< Null for none, as once it has ended.
  std::vector<std::string> options;                ///< Of `onelane run`, words as it takes them.
  AtomsWish atoms;
  std::string label;
  std::string user;
  std::string agent;  ///< Which agent or CI added it, empty for a person.
  bool is_deferred = false;
  State state = State::Queued;
  std::int64_t added_wall_ms = 0;  ///< Milliseconds since the epoch, as all `_wall_ms`.
  std::int64_t started_wall_ms = 0;
  std::int64_t ended_wall_ms = 0;
  std::optional<std::int64_t> code;  ///< 128 + n where it died of signal n.
  std::string run;                   ///< Run id in the journal, empty without a record.
  std::string batch;                 ///< Id of the batch that ran it, empty before.
};

/// Who runs the queue. Lives exactly as long as its lock: see Store::is_started.
struct Starter {
  std::int32_t pid = 0;
  std::string user;
  std::string batch;  ///< Its run id in the journal.
  std::int64_t since_wall_ms = 0;
};

struct Queue {
  std::uint64_t next_id = 1;
  bool is_closed = false;           ///< Nothing may be added.
  std::int64_t paused_wall_ms = 0;  ///< Since when nothing begins; 0 while it may.
  bool is_stopping = false;         ///< The start that runs it ends before the next entry.
  std::optional<Starter> starter;
  std::vector<Entry> entries;  ///< In the order in which they run.
};

inline constexpr std::size_t kMostEntries = 2'000;

/// The entry `id`, null when there is none.
[[nodiscard]] Entry* find(Queue& queue, std::uint64_t id) noexcept;

/// The first entry that waits, null when there is none.
[[nodiscard]] Entry* next_of(Queue& queue) noexcept;

/// How many entries are in that state.
[[nodiscard]] std::size_t count(const Queue& queue, State state) noexcept;

/// True for what has no result: it did not pass, and it did not fail.
[[nodiscard]] bool is_unfinished(const Entry& entry) noexcept;

/// Makes the queued entry `id` the `position`th of those queued, from 1; the last where there are
/// fewer. The others keep their order. False when `id` does not wait.
bool move(Queue& queue, std::uint64_t id, std::size_t position);

/// Whoever ran the queue is dead: what he ran is interrupted.
void interrupt(Queue& queue, std::int64_t now_wall_ms);

/// The same, and nobody runs the queue any more.
void forget_starter(Queue& queue, std::int64_t now_wall_ms);

/// Ends an entry: its environment is forgotten, as nobody needs it any more.
void finish(Entry& entry, State state, std::optional<std::int64_t> code, std::int64_t now_wall_ms);

}  // namespace onelane::queue
