#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/process/judgement.hpp"
#include "core/process/run.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/plan.hpp"
#include "multicall/shim/record.hpp"
#include "multicall/shim/turn.hpp"
#include "multicall/shim/watch.hpp"

namespace onelane::multicall {

/// One attempt of a run, with one line in the journal: what is watched of it, who is asked, and
/// what is known of how it ended. Most runs have one attempt of one command.
class Attempt : public process::Judge {
 public:
  /// All outlive it. `before` is what earlier attempts have taken of PIPELINE_TIMEOUT.
  Attempt(const Plan& plan, Turn& turn, Additions& additions, const Times& times,
          std::chrono::nanoseconds before);

  /// The run as it is handed to a supervisor. Points to this object.
  [[nodiscard]] process::Run run();
  /// A command is about to be started.
  void note_launch();
  /// It has ended so, as far as is known.
  void note_end(const process::Outcome& part) noexcept;
  /// What is known so far.
  [[nodiscard]] const process::Outcome& whole() const noexcept { return whole_; }
  [[nodiscard]] Watch& watch() noexcept { return watch_; }
  [[nodiscard]] Turn& turn() noexcept { return turn_; }

  /// Writes the journal's line, once; a run without a ticket has none. Lost where that fails: the
  /// run is over all the same.
  void record() noexcept;
  /// The attempt is over.
  void finish() noexcept;

  [[nodiscard]] process::Judgement judge(const process::Scene& scene) noexcept override;
  [[nodiscard]] bool peek() noexcept override { return additions_.peek() || watch_.peek(); }
  void note_stop(const process::Signals::Arrived& order) noexcept override;
  void say(const std::string& line) noexcept override;

 private:
  [[nodiscard]] process::LaneDuty lane_duty();
  [[nodiscard]] journal::Record own_record() const;

  /// For what goes on in the background, in the guardian: it has none of the files of ours.
  class Background : public process::Judge {
   public:
    Background(const Plan& plan, const std::string& run_id) : plan_{plan}, run_id_{run_id} {}
    [[nodiscard]] process::Judgement judge(const process::Scene& scene) noexcept override {
      return watch().judge(scene);
    }
    void note_stop(const process::Signals::Arrived& order) noexcept override {
      watch().note_stop(order);
    }
    void say(const std::string& line) noexcept override { watch().say_line(line); }
    [[nodiscard]] Watch& watch();

   private:
    const Plan& plan_;
    const std::string& run_id_;
    std::optional<Watch> watch_;
  };

  const Plan& plan_;
  Turn& turn_;
  Additions& additions_;
  Times times_;
  Watch watch_;
  Background background_;
  process::Outcome before_;  ///< What is known without the last command.
  process::Outcome whole_;
  std::chrono::nanoseconds part_started_{};
  bool has_record_ = false;
};

}  // namespace onelane::multicall
