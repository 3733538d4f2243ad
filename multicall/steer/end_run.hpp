#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/lane/live.hpp"
#include "core/process/orphans.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

/// The result of end_run().
struct RunEnd {
  bool ended = false;
  std::string why;  ///< If it has not ended, why: one clause.
};

/// How long to wait for a supervisor that has been told to end its run, and what it is told.
enum class Manner {
  Patient,   ///< Twice the kill timeout and five seconds: it may be about to write its record.
  Forceful,  ///< For steal: the kill timeout and two seconds; also kills a guardian that hangs.
};

/// Ends the run of a live ticket. Orders its supervisor to stop, once a second, with CONT in case
/// it is stopped. If it does not obey within the time of `manner`, kills it, and the guardian
/// (continued in the same way) ends the tree. Blocks in poll(2) until the ticket is gone, which is
/// after the end of the last process that is not kept; at most three times `kill_timeout` and 35 s.
///
/// Signals only the supervisor and then the guardian, each through a pidfd and only while it is a
/// onelane process with the ticket's place (supervisor_check.hpp). Throws SystemError if the table
/// cannot be read.
[[nodiscard]] RunEnd end_run(const lane::Table& table, const lane::LiveTicket& ticket,
                             std::chrono::milliseconds kill_timeout,
                             Manner manner = Manner::Patient);

/// What an ended run has left behind.
struct Remains {
  std::vector<process::Orphan> kept;
  std::vector<sys::ProcessStat> left;  ///< Still alive after KILL.
};

/// Finds processes that carry `run_id` or that the run has written down, whatever their parent, and
/// ends those that `rules` do not spare, as for orphans; `rules.occasion` decides. They are what a
/// supervisor and a guardian that both died have left, and what the run kept when it ended by
/// itself.
[[nodiscard]] Remains clear_remains(const std::string& run_id, process::OrphanRules rules,
                                    std::chrono::milliseconds kill_timeout);

/// Ends runs for `stop` and `steal`, reports each one and collects the results. end() and clear()
/// block as end_run() and clear_remains() do.
class Endings {
 public:
  /// Borrows `lanes`. With `as_json` only failures are said, on standard error.
  Endings(const LanesHere& lanes, bool as_json)
      : lanes_{lanes}, book_{run_book(lanes)}, as_json_{as_json} {}

  /// Ends a run and what it leaves, except what `stop` spares; false if it has not ended.
  bool end(const Found& found, Manner manner);
  /// Ends what an ended run has left, except what `stop` spares.
  void clear(const std::string& id);

  /// Prints a line unless the report is JSON.
  void tell(const std::string& line) const;
  /// "schema", "ended", "kept", "left".
  [[nodiscard]] nlohmann::json report() const;
  /// 0, or 1 once something could not be ended.
  [[nodiscard]] int code() const noexcept { return code_; }
  /// True if something was spared; it has been named and is in the report.
  [[nodiscard]] bool has_kept() const noexcept { return !kept_.empty(); }
  [[nodiscard]] const RunBook& book() const noexcept { return book_; }

 private:
  void name_kept(const sys::ProcessId& id, const std::string& run, std::string_view why);

  const LanesHere& lanes_;
  const RunBook book_;
  const bool as_json_;
  int code_ = 0;
  nlohmann::json ended_ = nlohmann::json::array();
  nlohmann::json kept_ = nlohmann::json::array();
  nlohmann::json left_ = nlohmann::json::array();
};

}  // namespace onelane::multicall
