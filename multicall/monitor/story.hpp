#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/monitor/look.hpp"

namespace onelane::multicall::monitor {

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

}  // namespace onelane::multicall::monitor
