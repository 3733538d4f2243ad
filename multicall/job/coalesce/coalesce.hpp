#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/process/run.hpp"
#include "core/process/signals.hpp"
#include "multicall/job/coalesce/keeper.hpp"
#include "multicall/job/coalesce/taken.hpp"
#include "multicall/shim/plan.hpp"
#include "multicall/shim/record.hpp"
#include "multicall/shim/turn.hpp"

namespace onelane::multicall::coalesce {

/// What a call that may coalesce finds once it has the lane.
struct Found {
  int signal = 0;              ///< A signal that arrived meanwhile and ends us; 0 for none.
  std::optional<Taken> taken;  ///< A result to take over; nothing if there is none.
  std::string same;            ///< Record::same for its own run, if others wait for the result.
  std::uint64_t boot_ns = 0;   ///< Record::same_boot_ns.
};

/// Looks for a result to take over, then for calls that wait for one. Reads the end of the journal
/// and the table; runs git to compare the files only if there is either. Never throws: on an error
/// it finds nothing. Writes nothing.
[[nodiscard]] Found look_around(const Plan& plan, const Turn& turn, const Times& times) noexcept;

/// Appends `record` with the result, says in one line which run it is from, and replays the output.
/// Gives the lane back first, since a slow reader must not keep it. Ends this process as that run
/// ended.
[[noreturn]] void take_result(const Plan& plan, Turn& turn, journal::Record record,
                              const Taken& taken) noexcept;

/// A run whose result other calls wait for.
class KeptRun {
 public:
  /// Null if the output cannot be kept: then the run is like any other.
  [[nodiscard]] static std::unique_ptr<KeptRun> begin(const Plan& plan, const Turn& turn,
                                                      const Found& found) noexcept;
  KeptRun(const Shelf& shelf, const process::Signals& signals, const Found& found)
      : keeper_{shelf, signals}, same_{found.same}, boot_ns_{found.boot_ns} {}

  [[nodiscard]] std::array<int, 2> output() const noexcept { return keeper_.output(); }
  /// To be called when all of the run has ended: notes in the record whether others may take its
  /// result.
  void finish(journal::Record& record, const process::Outcome& outcome);
  void wait_for_reader() noexcept { keeper_.wait_for_reader(); }

 private:
  OutputKeeper keeper_;
  std::string same_;
  std::uint64_t boot_ns_;
};

}  // namespace onelane::multicall::coalesce
