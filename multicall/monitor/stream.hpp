#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/monitor/look.hpp"
#include "multicall/view/follow_runs.hpp"

namespace onelane::multicall::monitor {

enum class Until { Told, Snapshot };  ///< When to stop: at a signal, or after the first event.

/// Writes events to standard output, one JSON object per line, until a signal ends us or the reader
/// goes away. Returns the exit code. Sleeps while nothing changes. Throws SystemError when a lane
/// cannot be read.
[[nodiscard]] int run_stream(const LanesHere& lanes, Until until);

/// One event of `onelane monitor --json`: schema, event, at_wall_ms, and its subject. A ticket and
/// a lane have the fields that `onelane status --json` gives them.
using Event = nlohmann::json;

/// Tells what happens in the lanes of a project, from one look to the next and from the journal's
/// new records. Reads nothing itself, except whether a holder is alive.
///
/// Each run is told in order: enqueued, granted, started, then finished or killed; or left, if it
/// never started. A run too short to be seen is told from its record. A run that is gone without a
/// record (a full disk) counts as finished after a while, without a reason.
class Story {
 public:
  /// Takes the first look: one event "snapshot" with all of it.
  [[nodiscard]] Event begin(const LanesHere& here, const std::vector<LaneLook>& lanes,
                            std::int64_t now_ms);
  /// Takes a later look.
  [[nodiscard]] std::vector<Event> see(const std::vector<LaneLook>& lanes, std::int64_t now_ms);
  /// Takes a new record of the journal. Pass all records after the look that saw their runs gone.
  [[nodiscard]] std::vector<Event> see(const journal::Record& record);
  /// True while a run is gone and has no record yet: look again soon.
  [[nodiscard]] bool expects_records() const;
  /// The runs that hold a lane: their logs are worth following.
  [[nodiscard]] std::vector<std::string> running() const;

 private:
  enum class Stage { Queued, Granted, Started, Told };
  struct Known {
    Stage stage = Stage::Queued;
    std::string lane;
    std::string command;
    std::size_t position = 0;
    bool is_there = true;         ///< It was in the last look.
    std::int64_t gone_since = 0;  ///< Milliseconds; 0 while it is there.
  };
  void see(const LaneLook& lane, const TicketView& ticket, std::size_t position);
  void see_gone();
  void see_hold(const LaneLook& lane);
  Event& tell(const char* event, std::int64_t at_ms, const std::string& id);

  std::map<std::string, Known> known_;
  std::map<std::string, bool> holds_;
  std::vector<Event> told_;
  std::int64_t now_ = 0;
};

/// Gives each new record of a journal once, across rotations. Records that existed at construction
/// are old. Reads only when asked to.
class JournalTail {
 public:
  explicit JournalTail(std::string directory);
  /// The new records, oldest first. Blocks only to read the file.
  [[nodiscard]] std::vector<journal::Record> read();

 private:
  std::string directory_;
  std::string last_;  ///< The newest line read; empty for none.
};

/// Gives the new warnings in the logs of runs, as lines that `onelane logs` shows.
class LogTails {
 public:
  explicit LogTails(std::string directory) : directory_{std::move(directory)} {}
  /// Follows the log of `run`; its present contents are old.
  void skip(const std::string& run) { (void)tail_of(run).next(); }
  /// The texts after time and level, oldest first; never blocks.
  [[nodiscard]] std::vector<std::string> read(const std::string& run);
  void forget(const std::string& run) { tails_.erase(run); }

 private:
  LogTail& tail_of(const std::string& run) {
    return tails_.try_emplace(run, directory_, run).first->second;
  }

  std::string directory_;
  std::map<std::string, LogTail> tails_;
};

}  // namespace onelane::multicall::monitor
