#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "core/lane/live.hpp"
#include "tests/integration/status_scene.hpp"

namespace onelane::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

/// Lane files that were written with bad intentions, or not to the end.
class HostileStatusTest : public StatusTest {
 protected:
  /// Overwrites bytes of the lane file.
  void spoil(off_t at, const std::string& bytes) const {
    const int fd = ::open((state() + "/lane").c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(::pwrite(fd, bytes.data(), bytes.size(), at), static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }
  [[nodiscard]] static lane::LiveTicket only_ticket(const lane::Table& table) {
    const auto live = lane::live_tickets(table);
    EXPECT_EQ(live.size(), 1U);
    return live.at(0);
  }
};

TEST_F(HostileStatusTest, ATornEntryIsSaidAndNeverTakenForAFreeLane) {
  Holder holder{sandbox_};
  spoil(lane::kEntriesAt + 20, "torn");
  const auto status = json();
  EXPECT_EQ(status["torn"], true);
  EXPECT_TRUE(status["holder"].is_null());
  EXPECT_THAT(text(), AllOf(HasSubstr("\ndamaged: a part of the lane file cannot be read: see "
                                      "`onelane doctor`\n"),
                            HasSubstr("\nholder:  unknown\n")));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(HostileStatusTest, AnEmptiedFileIsNoFreeLaneEither) {
  Holder holder{sandbox_};
  EXPECT_EQ(json()["holder_unknown"], false);
  ASSERT_EQ(::truncate((state() + "/lane").c_str(), 0), 0);
  const auto status = json();
  EXPECT_EQ(status["torn"], true);
  EXPECT_EQ(status["holder_unknown"], true);
  EXPECT_THAT(text(), AllOf(HasSubstr("\ndamaged: "), HasSubstr("\nholder:  unknown\n")));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_EQ(json()["holder_unknown"], false);
}

TEST_F(HostileStatusTest, ATornHeaderHidesNoCall) {
  Holder holder{sandbox_};
  spoil(8, "torn");
  const auto status = json();
  EXPECT_EQ(status["torn"], true);
  EXPECT_EQ(status["holder"]["pid"], holder.pid());
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(HostileStatusTest, RubbishForALaneFileIsSurvived) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{700}, std::size_t{2'000'000}}) {
    std::ofstream{state() + "/lane"} << std::string(size, 'x');
    EXPECT_TRUE(json()["holder"].is_null()) << size;
    EXPECT_THAT(text(), HasSubstr("holder:  ")) << size;
  }
}

TEST_F(HostileStatusTest, NothingInATicketReachesATerminalRaw) {
  Holder holder{sandbox_};
  const lane::Table table{state(), 0600};
  const lane::LiveTicket ticket = only_ticket(table);
  std::optional<lane::Detail> detail;
  ASSERT_TRUE(eventually([&] {  // the supervisor writes once more, when the tool has started
    detail = table.detail(ticket.slot, ticket.entry.sequence);
    return detail && detail->tool_pid != 0;
  }));
  const std::string evil =
      "\033]0;owned\007\r\n\033[2J<b>\"\\\xff\xc2\x9b"
      "31m\x7f";
  lane::set_text(detail->command, evil);
  lane::set_text(detail->tool, evil);
  lane::set_text(detail->directory, evil);
  lane::set_text(detail->agent, evil.substr(0, 12));
  lane::set_text(detail->terminal, "/dev/" + evil.substr(0, 12));
  detail->may_prompt = 1;
  detail->started_boottime -= 60'000'000'000;
  table.write(ticket.slot, *detail);
  std::string shown = text();
  EXPECT_THAT(shown, HasSubstr("in an editor or prompt on ?]0;owned"));
  std::erase(shown, '\n');
  EXPECT_FALSE(std::ranges::any_of(shown, [](char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
  })) << shown;
  EXPECT_THAT(shown, AllOf(Not(HasSubstr("\xc2\x9b")), Not(HasSubstr("\xff"))));
  EXPECT_THAT(json()["holder"]["command"].get<std::string>(), StartsWith("?]0;owned???"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(HostileStatusTest, AHugeCallWithBytesOfNoAlphabetIsOneLine) {
  Gate gate{sandbox_};
  Running run = sandbox_.start(
      {"make", "trace", "ready", "hold-until", gate.path(), "trace", std::string(65'536, '\xfe')});
  sandbox_.wait_for("ready");
  (void)json();
  EXPECT_LT(text().size(), 4'096U);
  gate.open();
  EXPECT_TRUE(run.wait().exited_with(0));
}

TEST_F(HostileStatusTest, AHolderInAnotherContainerHasNoPidHere) {
  if (!sandbox_.run({"unshare", "-pf", "--mount-proc", "true"}).exited_with(0)) {
    GTEST_SKIP() << "unshare -pf --mount-proc is not permitted here";
  }
  Gate gate{sandbox_};
  Running inside = sandbox_.start(
      {"unshare", "-pf", "--mount-proc", "make", "trace", "inside", "hold-until", gate.path()});
  sandbox_.wait_for("inside");
  const auto run = json()["holder"];
  EXPECT_EQ(run["here"], false);
  EXPECT_TRUE(run["pid"].is_null());
  EXPECT_TRUE(run["processes"].is_null());
  EXPECT_EQ(run["clearing"], false);
  EXPECT_THAT(text(), AllOf(HasSubstr("  (in another container, run "), Not(HasSubstr("pid "))));
  gate.open();
  EXPECT_TRUE(inside.wait().exited_with(0));
}

TEST_F(HostileStatusTest, AReadOnlyStateDirectoryIsOnlyRead) {
  Holder holder{sandbox_};
  ::chmod(state().c_str(), 0555);
  ::chmod((state() + "/lane").c_str(), 0444);
  EXPECT_EQ(json()["holder"]["pid"], holder.pid());
  ::chmod((state() + "/lane").c_str(), 0600);
  ::chmod(state().c_str(), 0755);
  EXPECT_TRUE(holder.release().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
