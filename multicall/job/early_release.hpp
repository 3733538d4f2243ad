#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/process/judgement.hpp"
#include "multicall/job/capture/wiring.hpp"
#include "multicall/shim/attempt.hpp"

namespace onelane::multicall {

/// Gives the lane of a run back when its server is ready (Wiring::ready); from then on the run is a
/// service. Looks when the supervisor does: at the ports that its members listen on, or at the
/// descriptor that tells of the line.
class EarlyRelease {
 public:
  /// Borrows both for its life.
  EarlyRelease(const Plan& plan, const capture::Wiring& wiring) : plan_{plan}, wiring_{wiring} {}

  /// The run has its turn; may be null.
  void begin(lane::Ticket* ticket) noexcept { ticket_ = ticket; }
  /// For process::Run::wake.
  [[nodiscard]] int wake() const { return wiring_.ready ? wiring_.ready_fd : -1; }
  /// True when somebody listens whom no look has seen yet. A few small reads.
  [[nodiscard]] bool peek() noexcept;
  /// At each look: gives the lane back when it is time, else sees to it that the next peek comes.
  void look(const process::Scene& scene, Watch& watch, process::Judgement& judgement) noexcept;

 private:
  [[nodiscard]] bool awaits() const;
  [[nodiscard]] bool listens(const process::Scene& scene);
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> listeners() const;
  void note_line() noexcept;

  const Plan& plan_;
  const capture::Wiring& wiring_;
  lane::Ticket* ticket_ = nullptr;
  bool is_over_ = false;  ///< The lane has been given back.
  bool has_seen_line_ = false;
  std::map<std::uint64_t, pid_t> namespaces_;  ///< Of the members' networks: who is inside.
  std::vector<std::uint64_t> others_;          ///< Listeners that are no member's.
  bool has_said_others_ = false;
  unsigned unsure_ = 0;  ///< Looks that are still due at them: a member may have been missed.
};

}  // namespace onelane::multicall
