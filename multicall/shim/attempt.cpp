#include "multicall/shim/attempt.hpp"

#include <sys/wait.h>

#include <utility>

#include "core/sys/clock.hpp"
#include "multicall/context/keep.hpp"
#include "multicall/context/lane_call.hpp"

namespace onelane::multicall {

Watch& Attempt::Background::watch() {
  if (!watch_) {
    watch_ = std::make_unique<Watch>(plan_, run_id_);
  }
  return *watch_;
}

Attempt::Attempt(const Plan& plan, Turn& turn, Additions& additions, const Times& times,
                 std::chrono::nanoseconds before)
    : plan_{plan},
      turn_{turn},
      additions_{additions},
      times_{times},
      watch_{plan, turn.run_id(), before},
      background_{plan, turn.run_id()} {
  times_.started = sys::monotonic_time();
  times_.started_wall_ms = sys::wall_milliseconds();
}

process::Run Attempt::run() {
  process::Run run;
  run.run_id = turn_.run_id();
  run.name = command_line(*plan_.call, 60);
  run.traits = turn_.traits();
  run.keep = keep_list_of(plan_.settings);
  run.linger = plan_.settings.linger.value;
  run.kill_timeout = plan_.settings.kill_timeout.value;
  run.kill_signal = plan_.kill_signal;
  run.check_interval = plan_.settings.check_interval.value;
  run.wait_for_all = plan_.waits_for_all();
  run.may_go_on = additions_.may_go_on();
  run.wake = additions_.wake() >= 0 ? additions_.wake() : turn_.take_over().wake();
  if (turn_.ticket() != nullptr) {
    run.is_lane_call = lane_call_test(plan_.lane_dir);
    run.lane = lane_duty();
  }
  return run;
}

process::LaneDuty Attempt::lane_duty() {
  process::LaneDuty duty;
  duty.descriptors = turn_.descriptors();
  duty.judge = &background_;
  duty.after_crash = [this](const auto& kept) {
    turn_.close_record(kept);
    append_crash(turn_.place(), own_record(), times_, kept);
  };
  duty.found_background = [this](const auto& calls) {
    std::vector<lane::Kept> all = turn_.kept();
    add_kept(all, calls, turn_.run_id());
    (void)turn_.ticket()->go_on_in_background(all, sys::self_id());
  };
  duty.after_background = [this] {
    background_.watch().finish();
    turn_.ticket()->close_record({});
  };
  return duty;
}

void Attempt::note_launch() {
  part_started_ = sys::monotonic_time();
  before_ = whole_;
  watch_.note_launch();
}

void Attempt::note_end(const process::Outcome& part) noexcept {
  whole_ = additions_.whole_with(before_, part);
}

process::Judgement Attempt::judge(const process::Scene& scene) noexcept {
  process::Scene seen = scene;
  seen.running += part_started_ - times_.started;
  process::Judgement judgement = watch_.judge(seen);
  additions_.look(seen, *this, judgement);
  turn_.take_over().look(judgement);
  turn_.tell_waiting(seen.running);
  return judgement;
}

void Attempt::note_stop(const process::Signals::Arrived& order) noexcept {
  watch_.note_stop(order);
}

void Attempt::say(const std::string& line) noexcept {
  watch_.say_line(line);
}

journal::Record Attempt::own_record() const {
  journal::Record record = record_of(plan_, turn_, times_);
  additions_.describe(record);
  return record;
}

void Attempt::record() noexcept try {
  if (std::exchange(has_record_, true) ||
      (turn_.ticket() == nullptr && !additions_.wants_record())) {
    return;
  }
  journal::Record record = own_record();
  add_outcome(record, whole_, watch_, times_);
  additions_.add_to(record, whole_);
  if (turn_.ticket() != nullptr) {
    append_record(turn_.place(), record);
  }
} catch (const std::exception&) {
  // The run is over in any case.
}

void Attempt::finish() noexcept try {
  watch_.finish();
  record();
  if (whole_.ended_by_order || (whole_.launch_error == 0 && WIFSIGNALED(whole_.wait_status))) {
    watch_.say_left_lock(plan_.call->name == "git" ? whole_.tool : 0);
  }
} catch (const std::exception&) {
  // Only a notice is lost.
}

}  // namespace onelane::multicall
