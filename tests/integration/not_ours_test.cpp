// What a lane file says that was copied, or written by others, ends no process of others. In a PID
// namespace of its own: what is forged here can reach no process outside.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/lane/live.hpp"
#include "core/sys/byte_lock.hpp"
#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"
#include "tests/support/own_namespace.hpp"

namespace onelane::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Words = std::vector<std::string>;

class NotOursTest : public testing::Test {
 protected:
  NotOursTest() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
  }
  void SetUp() override {
    if (const std::string why = why_not_alone(); !why.empty()) {
      GTEST_SKIP() << why;
    }
  }

  Ended run_in(const std::string& directory, const Words& argv) {
    Start options;
    options.directory = directory;
    return sandbox_.run(argv, std::move(options));
  }
  Ended onelane(const std::string& directory, Words words) {
    words.insert(words.begin(), onelane_of(sandbox_));
    return run_in(directory, words);
  }
  static std::string state_of(const std::string& project) { return project + "/.git/onelane"; }

  /// A call in `project` gets its turn, without a message about a killed run.
  void expect_quiet_turn(const std::string& project) {
    const Ended ended = run_in(project, {"make", "exit", "7"});
    EXPECT_TRUE(ended.exited_with(7)) << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, IsEmpty());
  }

  Sandbox sandbox_{Mode::Shim};
};

// --- A checkout that was copied ------------------------------------------------------------------

class CopiedCheckoutTest : public NotOursTest, public testing::WithParamInterface<const char*> {
 protected:
  /// A copy of the project, made as the parameter says.
  std::string copy_checkout() {
    const std::string copy = sandbox_.fresh_path("copy");
    const Ended copied = run_in(sandbox_.root(), {"env", "FROM=" + sandbox_.project(), "TO=" + copy,
                                                  "sh", "-ec", GetParam()});
    EXPECT_TRUE(copied.exited_with(0)) << copied.err;
    return copy;
  }
};

TEST_P(CopiedCheckoutTest, OfALiveRunItSaysNothingAndEndsNothing) {
  WorkerRun run{sandbox_, {}};
  const std::string copy = copy_checkout();
  EXPECT_TRUE(status_of(sandbox_, copy)["holder"].is_null());
  const Ended stopped = onelane(copy, {"stop", "--yes"});
  EXPECT_TRUE(stopped.exited_with(0)) << stopped.err;
  EXPECT_EQ(stopped.out, "nothing runs here\n");
  EXPECT_THAT(onelane(copy, {"orphans", "--kill", "--yes"}).out, HasSubstr("no orphans"));
  expect_quiet_turn(copy);
  EXPECT_THAT(contents_of(state_of(copy) + "/runs.jsonl"), Not(HasSubstr("\"crashed\"")));
  EXPECT_TRUE(is_alive(run.tool()));
  EXPECT_TRUE(is_alive(run.worker()));
  EXPECT_EQ(status_of(sandbox_)["holder"]["id"], run.id());
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
}

TEST_P(CopiedCheckoutTest, WhatAKilledRunHasLeftIsForTheOriginalToEnd) {
  WorkerRun run{sandbox_, {}};
  run.kill_both();
  ASSERT_TRUE(is_alive(run.worker()));
  const std::string copy = copy_checkout();
  EXPECT_TRUE(onelane(copy, {"stop", "--yes"}).exited_with(0));
  EXPECT_TRUE(onelane(copy, {"stop", run.id(), "--yes"}).exited_with(1));
  EXPECT_THAT(onelane(copy, {"orphans", "--kill", "--yes"}).out, HasSubstr("no orphans"));
  expect_quiet_turn(copy);
  EXPECT_TRUE(is_alive(run.worker()));
  const Ended next = sandbox_.run({"make", "exit", "0"});
  EXPECT_THAT(next.err, HasSubstr("the last run in this lane was killed; ended 1 of its"));
  EXPECT_FALSE(is_alive(run.worker()));
}

constexpr const char* kByTar = "mkdir \"$TO\"; tar -C \"$FROM\" -cf - . | tar -C \"$TO\" -xf -";

std::string name_of_way(const testing::TestParamInfo<const char*>& way) {
  static constexpr std::array kNames{"CpR", "CpA", "Tar"};
  return kNames.at(way.index);
}

INSTANTIATE_TEST_SUITE_P(By, CopiedCheckoutTest,
                         testing::Values("cp -r \"$FROM\" \"$TO\"", "cp -a \"$FROM\" \"$TO\"",
                                         kByTar),
                         &name_of_way);

TEST_F(NotOursTest, AnOverlayOfALiveRunsCheckoutIsACopyToo) {
  WorkerRun run{sandbox_, {}};
  const std::string top = sandbox_.fresh_path("overlay");
  const Ended mounted =
      run_in(sandbox_.root(), {"env", "FROM=" + sandbox_.project(), "TOP=" + top, "sh", "-ec",
                               "mkdir \"$TOP\"; mount -t tmpfs none \"$TOP\"; cd \"$TOP\"; "
                               "mkdir upper work merged; mount -t overlay overlay "
                               "-o \"lowerdir=$FROM,upperdir=upper,workdir=work\" merged"});
  if (mounted.exited_with(0)) {
    expect_quiet_turn(top + "/merged");
    EXPECT_TRUE(is_alive(run.tool()));
    EXPECT_TRUE(is_alive(run.worker()));
    EXPECT_THAT(contents_of(state_of(top + "/merged") + "/runs.jsonl"),
                Not(HasSubstr("\"crashed\"")));
  }
  (void)run_in(sandbox_.root(), {"umount", "-R", top});
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
  if (!mounted.exited_with(0)) {
    GTEST_SKIP() << "no overlay can be mounted here: " << mounted.err;
  }
}

TEST_F(NotOursTest, ACheckoutThatWasMovedIsStillTheSame) {
  WorkerRun run{sandbox_, {}};
  run.kill_both();
  const std::string moved = sandbox_.fresh_path("moved");
  ASSERT_TRUE(run_in(sandbox_.root(), {"mv", sandbox_.project(), moved}).exited_with(0));
  const Ended next = run_in(moved, {"make", "exit", "0"});
  EXPECT_THAT(next.err, HasSubstr("the last run in this lane was killed; ended 1 of its"));
  EXPECT_FALSE(is_alive(run.worker()));
  ASSERT_TRUE(run_in(sandbox_.root(), {"mv", moved, sandbox_.project()}).exited_with(0));
}

// --- A lane that others may write to -------------------------------------------------------------

/// A lane beside the sandbox's project, which a member of the group may write to at will.
class ForgedLaneTest : public NotOursTest {
 protected:
  void SetUp() override {
    NotOursTest::SetUp();
    if (!IsSkipped()) {
      shared_ = make_project(sandbox_, "shared");
      table_.emplace(state_of(shared_), 0600);
    }
  }

  /// The record of a run in this lane whose supervisor is dead.
  [[nodiscard]] lane::LastRun dead_run(const std::string& run_id) const {
    lane::LastRun record;
    record.open = 1;
    lane::set_text(record.run_id, run_id);
    record.boot = static_cast<std::uint32_t>(sys::boot_id());
    record.pid_namespace = sys::pid_namespace();
    record.supervisor_pid = 0x7ffffff0;
    record.supervisor_start = 1;
    record.uid = ::getuid();
    record.file = table_->id();
    return record;
  }

  /// Forges a ticket of `pid`; the test itself holds its place and the lane.
  std::string forge(pid_t pid, lane::State state) {
    lane::Entry entry;
    entry.state = state;
    entry.sequence = 1;
    entry.pid = pid;
    entry.start = sys::read_stat(pid)->id.start;
    entry.pid_namespace = sys::pid_namespace();
    entry.uid = ::getuid();
    entry.boot = static_cast<std::uint32_t>(sys::boot_id());
    entry.run_id = lane::new_run_id();
    lane::Header header;
    header.next_sequence = 2;
    header.high = 1;
    header.file = table_->id();
    table_->write(header);
    table_->write(0, entry);
    EXPECT_TRUE(sys::try_lock_byte(table_->fd(), lane::slot_byte(0), sys::LockKind::Write));
    if (state == lane::State::Running) {
      EXPECT_TRUE(sys::try_lock_byte(table_->fd(), lane::kLaneByte, sys::LockKind::Write));
    }
    return std::string{lane::view(entry.run_id)};
  }

  /// The verb refuses with one line that names `pid`.
  void expect_refusal(const Words& words, pid_t pid) {
    const Ended ended = onelane(shared_, words);
    EXPECT_TRUE(ended.exited_with(1)) << words[0] << ": " << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, HasSubstr("its entry in the lane names pid " + std::to_string(pid) +
                                     ", which does not have its place there"));
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }

  std::string shared_;
  std::optional<lane::Table> table_;
};

TEST_F(ForgedLaneTest, ARecordWithAnIdOfOneLetterEndsNoOtherRun) {
  WorkerRun run{sandbox_, {}};
  for (const std::string& id : Words{"a", run.id().substr(0, 1), "", run.id().substr(0, 10)}) {
    table_->write(dead_run(id));
    expect_quiet_turn(shared_);
    table_->write(dead_run(id));
    EXPECT_TRUE(onelane(shared_, {"stop", "--yes"}).exited_with(0));
    EXPECT_TRUE(is_alive(run.tool())) << id;
  }
  EXPECT_TRUE(is_alive(run.tool()));
  EXPECT_TRUE(is_alive(run.worker()));
  EXPECT_TRUE(is_alive(run.supervisor()));
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
}

TEST_F(ForgedLaneTest, NorOneWithTheWholeIdOfALiveRun) {
  WorkerRun run{sandbox_, {"setsid", "fork-away"}};
  table_->write(dead_run(run.id()));
  expect_quiet_turn(shared_);
  table_->write(dead_run(run.id()));
  (void)onelane(shared_, {"stop", "--yes"});
  (void)onelane(shared_, {"stop", run.id(), "--yes"});
  (void)onelane(shared_, {"steal", run.id()});
  (void)onelane(shared_, {"orphans", "--kill", "--yes"});
  (void)onelane(shared_, {"ci", "finish", "--yes"});
  EXPECT_TRUE(is_alive(run.tool()));
  EXPECT_TRUE(is_alive(run.worker()));
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
}

TEST_F(ForgedLaneTest, NorOneOfAnotherUser) {
  WorkerRun run{sandbox_, {}};
  run.kill_both();
  lane::LastRun record = dead_run(run.id());
  record.uid = ::getuid() + 1;
  table_->write(record);
  expect_quiet_turn(shared_);
  EXPECT_TRUE(is_alive(run.worker()));
  sandbox_.forgive_leftovers();
}

TEST_F(ForgedLaneTest, AnEntryMakesNoVerbSignalAnotherProgram) {
  Gate gate{sandbox_};
  sandbox_.add_plain_tool("bystander");
  Running victim = sandbox_.start({"bystander", "trace", "there", "hold-until", gate.path()});
  sandbox_.wait_for("there");
  const std::string id = forge(victim.pid(), lane::State::Running);
  expect_refusal({"stop", "--yes"}, victim.pid());
  expect_refusal({"stop", id}, victim.pid());
  expect_refusal({"steal", id}, victim.pid());
  (void)forge(victim.pid(), lane::State::Service);
  const Ended finished = onelane(shared_, {"ci", "finish", "--yes"});
  EXPECT_TRUE(finished.exited_with(1));
  EXPECT_THAT(finished.out, HasSubstr("does not have its place there"));
  EXPECT_TRUE(is_alive(victim.pid()));
  gate.open();
  EXPECT_TRUE(victim.wait().exited_with(0));
}

TEST_F(ForgedLaneTest, NorTheSupervisorOfAnotherLane) {
  WorkerRun run{sandbox_, {}};
  const std::string id = forge(run.supervisor(), lane::State::Running);
  expect_refusal({"stop", "--yes"}, run.supervisor());
  expect_refusal({"steal", id}, run.supervisor());
  EXPECT_TRUE(is_alive(run.tool()));
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
}

TEST_F(ForgedLaneTest, ACancelledEntryContinuesNoOtherProgram) {
  Gate gate{sandbox_};
  sandbox_.add_plain_tool("bystander");
  Running victim = sandbox_.start({"bystander", "trace", "there", "hold-until", gate.path()});
  sandbox_.wait_for("there");
  victim.signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return sys::read_stat(victim.pid())->state == 'T'; }));
  const std::string id = forge(victim.pid(), lane::State::Waiting);
  (void)onelane(shared_, {"cancel", id});
  EXPECT_EQ(sys::read_stat(victim.pid())->state, 'T');
  victim.signal(SIGCONT);
  gate.open();
  EXPECT_TRUE(victim.wait().exited_with(0));
}

}  // namespace
}  // namespace onelane::test

int main(int argc, char** argv) {
  onelane::test::go_alone(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
