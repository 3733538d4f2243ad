#pragma once

#include "core/process/judgement.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/shim/take_lane.hpp"

namespace onelane::multicall {

/// Takes the lane over for a run that has started beside its holder, once that has ended. Costs
/// nothing for any other run.
class TakeOver {
 public:
  /// Borrows `place` for its life.
  explicit TakeOver(LanePlace& place) noexcept : place_{place} {}

  /// The run has its place: from now on wake() tells of the holder's end.
  void begin() noexcept;
  /// For process::Run::wake; -1 for a run that has nothing to take over.
  [[nodiscard]] int wake() const noexcept { return watch_.get(); }
  /// At each look. One that a killed holder did not wake comes within a second.
  void look(process::Judgement& judgement) noexcept;

 private:
  LanePlace& place_;
  bool is_due_ = false;
  sys::FileDescriptor watch_;
};

}  // namespace onelane::multicall
