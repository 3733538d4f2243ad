// A lane file that was copied with its checkout, and records written by other lanes.
#include <algorithm>

#include "core/lane/left.hpp"
#include "core/lane/live.hpp"
#include "core/lane/nesting.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

class CopyTest : public LaneTest {
 protected:
  ~CopyTest() override { std::filesystem::remove_all(elsewhere_); }

  /// A copy of the lane in its current state.
  [[nodiscard]] Table copy() const {
    std::filesystem::create_directory(elsewhere_);
    std::filesystem::copy_file(directory_ + "/lane", elsewhere_ + "/lane",
                               std::filesystem::copy_options::overwrite_existing);
    return {elsewhere_, 0600};
  }
  /// A child that holds the lane until it is killed.
  pid_t hold() {
    const pid_t pid = child([&] {
      const Table file = table();
      Ticket ticket{file, info()};
      if (wait_for_turn(ticket)) {
        trace("held");
        ::pause();
      }
    });
    EXPECT_TRUE(eventually([&] { return !traced().empty(); }));
    return pid;
  }
  void kill_and_reap(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    std::erase(children_, pid);
  }
  /// The record of a run that was killed, in this very file.
  [[nodiscard]] LastRun killed_run() {
    kill_and_reap(hold());
    return table().last_run();
  }

  const std::string elsewhere_ = directory_ + "-copy";
};

TEST_F(CopyTest, ACopyOfALiveRunIsNotAKilledRun) {
  hold();
  const Table file = copy();
  EXPECT_EQ(file.last_run().open, 1U);
  EXPECT_FALSE(was_killed(file, file.last_run()));
  Ticket ticket{file, info()};
  ASSERT_EQ(ticket.advance(), Step::Started);
  EXPECT_FALSE(ticket.unsettled());
  EXPECT_EQ(ticket.ran_before(), RunId{});
  EXPECT_TRUE(file.is_own(file.last_run()));
}

TEST_F(CopyTest, ACopyOfAKilledRunIsNotAKilledRun) {
  const LastRun killed = killed_run();
  EXPECT_TRUE(was_killed(table(), killed));
  const Table file = copy();
  EXPECT_FALSE(was_killed(file, killed));
  Ticket ticket{file, info()};
  ASSERT_EQ(ticket.advance(), Step::Started);
  EXPECT_FALSE(ticket.unsettled());
}

TEST_F(CopyTest, TheRestOfACopyDescribesTheOtherLane) {
  hold();
  const Table original = table();
  original.write_kept(
      {Kept{.pid = ::getpid(), .start = sys::self_id().start, .run_id = new_run_id()}});
  EXPECT_EQ(original.kept().size(), 1U);
  const Table file = copy();
  EXPECT_TRUE(file.is_copy(file.header()));
  EXPECT_FALSE(original.is_copy(original.header()));
  EXPECT_TRUE(file.kept().empty());
  EXPECT_TRUE(live_tickets(file).empty());
  Ticket ticket{file, info()};
  ASSERT_EQ(ticket.advance(), Step::Started);
  EXPECT_FALSE(file.is_copy(file.header()));
  EXPECT_TRUE(file.kept().empty()) << "and stays empty once the file is this lane's own";
  EXPECT_EQ(original.kept().size(), 1U);
}

TEST_F(CopyTest, ARunIsNotAboveItselfInACheckoutThatItCopies) {
  const Table original = table();
  Ticket ticket{original, info()};
  ASSERT_EQ(ticket.advance(), Step::Started);
  const pid_t below = child([&] {
    const bool is_nested = relation_to_lane(table(), "") == Relation::BelowHolder;
    const bool is_nested_there = relation_to_lane(copy(), "") != Relation::Outside;
    ::_exit(is_nested && !is_nested_there ? 0 : 1);
  });
  int status = -1;
  ::waitpid(below, &status, 0);
  std::erase(children_, below);
  EXPECT_EQ(status, 0);
}

TEST_F(CopyTest, ARecordDescribesAKilledRunOnlyIfAllOfItMatches) {
  const Table file = table();
  const LastRun killed = killed_run();
  ASSERT_TRUE(was_killed(file, killed));
  const auto with = [&](const std::function<void(LastRun&)>& change) {
    LastRun record = killed;
    change(record);
    file.write(record);
    return was_killed(file, file.last_run());
  };
  EXPECT_FALSE(with([](LastRun& r) { r.open = 0; }));
  EXPECT_FALSE(with([](LastRun& r) { ++r.boot; }));
  EXPECT_FALSE(with([](LastRun& r) { ++r.file.inode; }));
  EXPECT_FALSE(with([](LastRun& r) { ++r.file.device; }));
  EXPECT_FALSE(with([](LastRun& r) { r.file = {}; })) << "from an earlier version";
  EXPECT_FALSE(with([](LastRun& r) { set_text(r.run_id, "a"); }));
  EXPECT_FALSE(with([](LastRun& r) { set_text(r.run_id, ""); }));
  EXPECT_FALSE(with([](LastRun& r) {
    r.supervisor_pid = ::getpid();
    r.supervisor_start = sys::self_id().start;
  })) << "its supervisor lives";
  EXPECT_TRUE(with([](LastRun& r) {
    r.supervisor_pid = ::getpid();
    r.supervisor_start = sys::self_id().start + 1;
  })) << "another process has its pid";
  EXPECT_TRUE(with([](LastRun&) {}));
}

TEST_F(CopyTest, AnInvalidIdIsReadAsEmpty) {
  const Table file = table();
  Ticket ticket{file, info()};
  ASSERT_EQ(ticket.advance(), Step::Started);
  Entry entry = file.entries().at(ticket.slot());
  const auto id_of = [&](std::string_view text) {
    set_text(entry.run_id, text);
    file.write(ticket.slot(), entry);
    return std::string{view(file.entries().at(ticket.slot()).run_id)};
  };
  EXPECT_EQ(id_of("abcdefghijk"), "abcdefghijk");
  EXPECT_EQ(id_of("\x1b[2J"), "");
  EXPECT_EQ(id_of("a"), "");
  Kept kept{.pid = ::getpid(), .start = sys::self_id().start};
  set_text(kept.run_id, "\x1b]0;x\a");
  file.write_kept({kept});
  EXPECT_EQ(view(file.kept().at(0).run_id), "");
  LastRun last = file.last_run();
  last.ran.fill('!');  // without a terminating NUL
  file.write(last);
  EXPECT_EQ(view(file.last_run().ran), "");
}

TEST_F(CopyTest, AProcessOwnsOnlyTheSlotItHasLocked) {
  const Table file = table();
  const pid_t holder = hold();
  const auto live = live_tickets(file);
  ASSERT_EQ(live.size(), 1U);
  EXPECT_TRUE(has_slot(file, live[0].slot, holder));
  EXPECT_FALSE(has_slot(file, live[0].slot + 1, holder));
  EXPECT_FALSE(has_slot(file, live[0].slot, ::getpid()));
  EXPECT_EQ(owners_of(file, live[0].slot), std::vector<pid_t>{holder});
}

}  // namespace
}  // namespace onelane::lane
