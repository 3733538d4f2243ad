#pragma once

#include "core/lane/ticket.hpp"
#include "core/process/judgement.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall {

/// Takes the lane over for a run that has started beside its holder, once that has ended. Costs
/// nothing for any other run.
class TakeOver {
 public:
  /// The run has its place: from now on wake() tells of the holder's end. Borrows the ticket.
  void begin(lane::Ticket& ticket) noexcept;
  /// For process::Run::wake; -1 for a run that has nothing to take over.
  [[nodiscard]] int wake() const noexcept { return watch_.get(); }
  /// At each look. One that a killed holder did not wake comes within a second.
  void look(process::Judgement& judgement) noexcept;

 private:
  lane::Ticket* ticket_ = nullptr;  ///< While it is due.
  sys::FileDescriptor watch_;
};

}  // namespace onelane::multicall
