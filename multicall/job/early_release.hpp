#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/process/judgement.hpp"
#include "core/settings/ready.hpp"
#include "core/settings/settings.hpp"
#include "multicall/context/call.hpp"
#include "multicall/job/capture/wiring.hpp"
#include "multicall/shim/attempt.hpp"

namespace onelane::multicall {

/// Gives back the lane of a run once its server is ready (Wiring::ready); from then on the run is a
/// service. At each look of the supervisor it checks the ports that members of the run listen on,
/// or the descriptor that announces the line of output.
class EarlyRelease {
 public:
  /// Borrows both.
  EarlyRelease(const Plan& plan, const capture::Wiring& wiring) : plan_{plan}, wiring_{wiring} {}

  /// To be called when the run has its turn. Borrows the ticket, which may be null.
  void begin(lane::Ticket* ticket) noexcept { ticket_ = ticket; }
  /// For process::Run::wake.
  [[nodiscard]] int wake() const { return wiring_.ready ? wiring_.ready_fd : -1; }
  /// True if there is a listener that no look has seen yet. A few small reads.
  [[nodiscard]] bool peek() noexcept;
  /// To be called at each look: gives the lane back if the run is ready, else asks for the next
  /// peek.
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
  std::map<std::uint64_t, pid_t> namespaces_;  ///< Network namespaces, with a process in each.
  std::vector<std::uint64_t> others_;          ///< Listeners that belong to no member.
  bool has_said_others_ = false;
  unsigned unsure_ = 0;  ///< Looks still due at `others_`: a member may have been missed.
};

/// When `call` gives its lane back before its end, by the first item of RELEASE_ON_READY that names
/// it; nothing if none does.
[[nodiscard]] std::optional<settings::Ready> ready_rule_for(const Call& call,
                                                            const settings::Settings& settings);

/// "port 3000 listens" or "a line has \"ready in\""; printable and short.
[[nodiscard]] std::string words_of(const settings::Ready& ready);

}  // namespace onelane::multicall
