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

/// One attempt of a run, with one line in the journal: watches it, asks the additions, and collects
/// how it ended. Most runs have one attempt with one command.
class Attempt : public process::Judge {
 public:
  /// Borrows all but the times. `before` is how much of PIPELINE_TIMEOUT earlier attempts have
  /// used.
  Attempt(const Plan& plan, Turn& turn, Additions& additions, const Times& times,
          std::chrono::nanoseconds before);

  /// The run for a supervisor. Points to this object.
  [[nodiscard]] process::Run run();
  /// To be called just before a command is started.
  void note_launch();
  /// Takes over how that command ended; may be called again when more is known.
  void note_end(const process::Outcome& part) noexcept;
  /// The outcome of all commands so far.
  [[nodiscard]] const process::Outcome& whole() const noexcept { return whole_; }
  [[nodiscard]] Watch& watch() noexcept { return watch_; }
  [[nodiscard]] Turn& turn() noexcept { return turn_; }

  /// Writes the line of the journal, once; a run without a ticket has none. An error is ignored:
  /// the run is over in any case.
  void record() noexcept;
  /// Ends the attempt: gives up the control group, writes the record, names a left git lock.
  void finish() noexcept;

  [[nodiscard]] process::Judgement judge(const process::Scene& scene) noexcept override;
  [[nodiscard]] bool peek() noexcept override { return additions_.peek() || watch_.peek(); }
  void note_stop(const process::Signals::Arrived& order) noexcept override;
  void say(const std::string& line) noexcept override;

 private:
  [[nodiscard]] process::LaneDuty lane_duty();
  [[nodiscard]] journal::Record own_record() const;

  /// Judges what goes on in the background, in the guardian: it needs a Watch of its own, since it
  /// does not share our open files.
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
    std::unique_ptr<Watch> watch_;  ///< Made in the guardian.
  };

  const Plan& plan_;
  Turn& turn_;
  Additions& additions_;
  Times times_;
  Watch watch_;
  Background background_;
  process::Outcome before_;  ///< Outcome of the commands before the last one.
  process::Outcome whole_;
  std::chrono::nanoseconds part_started_{};
  bool has_record_ = false;
};

}  // namespace onelane::multicall
