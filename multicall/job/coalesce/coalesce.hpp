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

/// What a call that may coalesce finds when it has the lane.
struct Found {
  int signal = 0;              ///< Ended meanwhile: leave by it.
  std::optional<Taken> taken;  ///< Its result is there already.
  std::string same;            ///< Others wait for it: Record::same of its own run.
  std::uint64_t boot_ns = 0;   ///< Record::same_boot_ns.
};

/// Looks for a result to take, then for calls that wait for one. Costs a look at the end of the
/// journal and at the table; git is asked about the files only where there is either. Never
/// throws: what cannot be told is as if nobody were there. Writes nothing.
[[nodiscard]] Found look_around(const Plan& plan, const Turn& turn, const Times& times) noexcept;

/// Gives the lane back, writes `record` down with the result in it, says in one line whose it is,
/// and replays it: who does not read must not hold the lane. Ends this process as that run ended.
[[noreturn]] void take_result(const Plan& plan, Turn& turn, journal::Record record,
                              const Taken& taken) noexcept;

/// A run whose output others wait for.
class KeptRun {
 public:
  /// Nothing where its output cannot be kept: then it runs as any other.
  [[nodiscard]] static std::unique_ptr<KeptRun> begin(const Plan& plan, const Turn& turn,
                                                      const Found& found) noexcept;
  KeptRun(const Shelf& shelf, const process::Signals& signals, const Found& found)
      : keeper_{shelf, signals}, same_{found.same}, boot_ns_{found.boot_ns} {}

  [[nodiscard]] std::array<int, 2> output() const noexcept { return keeper_.output(); }
  /// Everything of the run has ended: its record says whether its result may be taken.
  void finish(journal::Record& record, const process::Outcome& outcome);
  void wait_for_reader() noexcept { keeper_.wait_for_reader(); }

 private:
  OutputKeeper keeper_;
  std::string same_;
  std::uint64_t boot_ns_;
};

}  // namespace onelane::multicall::coalesce
