#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/lane/live.hpp"
#include "core/process/orphans.hpp"

namespace onelane::multicall {

/// What became of a run that was to be ended.
struct RunEnd {
  bool ended = false;
  std::string why;  ///< Where it has not ended: one clause.
};

/// How long a supervisor that has been told to end its run is believed to do so, and what it is
/// told.
enum class Manner {
  Patient,   ///< Twice the kill timeout and five seconds: it may be about to write its record.
  Forceful,  ///< Stolen: the kill timeout and two seconds; a guardian that hangs is killed, too.
};

/// Ends the run of a live ticket: orders its supervisor to stop, once a second, and continues it
/// where it is stopped; where it does not obey within the time of `manner`, kills it, and its
/// guardian, continued where it is stopped, ends the tree. Blocks in poll(2) until the ticket is
/// gone, which is after the last of its processes that is not kept; at most three times
/// `kill_timeout` and 35 s.
///
/// Never signals anybody but the supervisor and after it the guardian, each by a pidfd and only
/// while it is a onelane that has the ticket's place (supervisor_check.hpp).
/// Throws SystemError when the table cannot be read.
[[nodiscard]] RunEnd end_run(const lane::Table& table, const lane::LiveTicket& ticket,
                             std::chrono::milliseconds kill_timeout,
                             Manner manner = Manner::Patient);

/// What an ended run has left.
struct Remains {
  std::vector<process::Orphan> kept;
  std::vector<sys::ProcessStat> left;  ///< What even KILL did not end.
};

/// Looks for processes that carry `run_id` or that it has written down, whatever is above them, and
/// ends those that `rules`, as for orphans, do not spare (their `occasion` says whom): what a
/// supervisor and a guardian that both died have left, and what the run had kept when it ended by
/// itself.
[[nodiscard]] Remains clear_remains(const std::string& run_id, process::OrphanRules rules,
                                    std::chrono::milliseconds kill_timeout);

}  // namespace onelane::multicall
