#pragma once

#include "core/lane/ticket.hpp"
#include "core/process/judgement.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall {

/// Takes the lane over for a run that has started beside its holder, once the holder has ended.
/// Costs nothing for any other run.
class TakeOver {
 public:
  /// To be called once the run has its place: from then on wake() tells of the holder's end.
  /// Borrows the ticket.
  void begin(lane::Ticket& ticket) noexcept;
  /// For process::Run::wake; -1 if there is nothing to take over.
  [[nodiscard]] int wake() const noexcept { return watch_.get(); }
  /// To be called at each look; makes the next one come within a second, since a holder that is
  /// killed does not wake us.
  void look(process::Judgement& judgement) noexcept;

 private:
  lane::Ticket* ticket_ = nullptr;  ///< Null when there is nothing left to take over.
  sys::FileDescriptor watch_;
};

}  // namespace onelane::multicall
