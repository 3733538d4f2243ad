#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/process/orphans.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/orphan_rules.hpp"

namespace onelane::multicall {

/// Ends orphans of a project's earlier runs while one of its runs is supervised: TERM when one is
/// found, KILL at the first look after KILL_TIMEOUT. Never blocks for their end.
///
/// No user has asked for this, so the run id in an environment is not proof enough (it may have
/// been saved, or passed into a container). A process is ended only if it started before its run
/// ended, by the journal, or below such a process, and if it is in our PID namespace. `onelane
/// orphans` lists the rest.
class OrphanPatrol {
 public:
  /// `say` is called with one line for each run whose orphans are ended.
  OrphanPatrol(const project::Project& project, const settings::Settings& settings,
               std::function<void(const std::string& line)> say);
  OrphanPatrol(const OrphanPatrol&) = delete;
  OrphanPatrol& operator=(const OrphanPatrol&) = delete;

  /// To be called at each look at the run; scans at most every five seconds.
  void look();
  /// Number of processes that were told to end.
  [[nodiscard]] std::size_t ended() const noexcept { return ended_; }

 private:
  [[nodiscard]] process::OrphanRules rules() const;
  [[nodiscard]] bool is_certain(const process::Orphan& orphan) const;

  struct Told {
    sys::ProcessId id;
    std::chrono::nanoseconds at{};
  };

  LanesHere lanes_;
  RunBook book_{run_book(lanes_)};
  process::OrphanWatch watch_{rules()};
  std::function<void(const std::string&)> say_;
  std::vector<Told> told_;
  std::size_t ended_ = 0;
  std::chrono::nanoseconds next_{};
};

}  // namespace onelane::multicall
