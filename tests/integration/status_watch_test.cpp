#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "tests/integration/status_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class StatusWatchTest : public StatusTest {
 protected:
  /// `onelane status --watch` with its output in a file.
  Running start_watch(const std::string& out, const std::string& options = {}) {
    return sandbox_.start(
        {"bash", "-c", "exec \"$0\" status --watch " + options + " >" + out, onelane_of(sandbox_)});
  }
  static std::size_t lines_in(const std::string& path) {
    const std::string text = contents_of(path);
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  Terminal on_terminal() {
    return Terminal{status_words({"--watch"}), sandbox_.environment(), sandbox_.project()};
  }
};

TEST_F(StatusWatchTest, OneLineOfJsonForEachChangeAndNoneForThePassingOfTime) {
  const std::string out = sandbox_.fresh_path("out");
  Running watch = start_watch(out, "--json");
  ASSERT_TRUE(comes_to_contain(out, "\"holder\":null"));
  Holder holder{sandbox_};
  ASSERT_TRUE(comes_to_contain(out, "\"state\":\"running\""));
  // A picture taken between grant and start may be a line of its own; after that nothing changes.
  ASSERT_TRUE(eventually([&] {
    const std::size_t before = lines_in(out);
    std::this_thread::sleep_for(1'500ms);
    return lines_in(out) == before;
  }));
  const std::size_t before = lines_in(out);
  std::this_thread::sleep_for(2'500ms);
  EXPECT_EQ(lines_in(out), before);
  EXPECT_TRUE(holder.release().exited_with(0));
  ASSERT_TRUE(eventually([&] { return lines_in(out) > before; }));
  watch.signal(SIGINT);
  EXPECT_TRUE(watch.wait().died_of(SIGINT));
  EXPECT_EQ(schema_faults(contents_of(out), "status", Json::Lines), "");
}

TEST_F(StatusWatchTest, WithoutATerminalAnEmptyLineParts) {
  const std::string out = sandbox_.fresh_path("out");
  Running watch = start_watch(out);
  ASSERT_TRUE(comes_to_contain(out, "limits:"));
  Holder holder{sandbox_};
  ASSERT_TRUE(comes_to_contain(out, "\n\nlane:    project"));
  ASSERT_TRUE(comes_to_contain(out, "holder:  pytest trace holder in"));
  EXPECT_THAT(contents_of(out), Not(HasSubstr("\033")));
  EXPECT_TRUE(holder.release().exited_with(0));
  watch.signal(SIGTERM);
  EXPECT_TRUE(watch.wait().died_of(SIGTERM));
}

TEST_F(StatusWatchTest, EndsWithItsReaderAlthoughNothingChanges) {
  const Ended ended = sandbox_.run(
      {"bash", "-c", "\"$0\" status --watch | head -1; echo over", onelane_of(sandbox_)});
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("lane:"), HasSubstr("\nover\n")));
  EXPECT_EQ(ended.err, "");
}

TEST_F(StatusWatchTest, OnATerminalThePictureIsRedrawnInPlaceUntilCtrlC) {
  Terminal terminal = on_terminal();
  const std::string first = terminal.expect("\033[J");
  EXPECT_THAT(first, AllOf(HasSubstr("\rlane:    project"), HasSubstr("holder:  none\033[K\r\n"),
                           Not(HasSubstr("\033[2J"))));
  const auto rows = std::ranges::count(first, '\n');
  EXPECT_THAT(terminal.expect("\033[J"), HasSubstr("\r\033[" + std::to_string(rows) + "A"));
  Holder holder{sandbox_};
  terminal.expect("pytest");
  terminal.expect("\033[J");
  EXPECT_TRUE(holder.release().exited_with(0));
  terminal.expect("holder:  none");
  terminal.interrupt();
  const int status = terminal.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << describe_status(status);
}

TEST_F(StatusWatchTest, AResizedTerminalIsDrawnAnewAndNothingIsWiderOrLonger) {
  Holder holder{sandbox_};
  Terminal terminal = on_terminal();
  terminal.expect("\033[J");
  terminal.resize(4, 40);
  terminal.expect("\033[H\033[2J");
  std::string picture = terminal.expect("\033[J");
  EXPECT_EQ(std::ranges::count(picture, '\n'), 3);
  EXPECT_THAT(picture, HasSubstr("…\033[K\r\n"));
  std::size_t width = 0;
  for (const char c : picture.substr(0, picture.find("\033"))) {
    width += static_cast<unsigned char>(c) < 0x80 ? 1 : 0;
  }
  EXPECT_LE(width, 39U);
  EXPECT_TRUE(holder.release().exited_with(0));
  terminal.interrupt();
  (void)terminal.wait();
}

TEST_F(StatusWatchTest, AfterCtrlZItGoesOnBelowWhatTheShellHasWritten) {
  Shell shell{Shell::Kind::Bash, sandbox_.environment(), sandbox_.project()};
  shell.type(onelane_of(sandbox_) + " status --watch");
  shell.terminal().expect("\033[J");
  shell.terminal().suspend();
  shell.wait_for_prompt();
  shell.type("fg");
  const std::string again = shell.terminal().expect("\033[J");
  EXPECT_THAT(again, AllOf(HasSubstr("holder:  none"), Not(HasSubstr("A\rlane")),
                           Not(HasSubstr("A"
                                         "lane"))));
  shell.terminal().interrupt();
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 130);
}

TEST_F(StatusWatchTest, ATerminalThatIsDumbGetsPlainLines) {
  sandbox_.set_environment("TERM", "dumb");
  Terminal terminal = on_terminal();
  EXPECT_THAT(terminal.expect("limits:"), Not(HasSubstr("\033")));
  Holder holder{sandbox_};
  EXPECT_THAT(terminal.expect("holder:  pytest"), Not(HasSubstr("\033")));
  EXPECT_TRUE(holder.release().exited_with(0));
  terminal.interrupt();
  (void)terminal.wait();
}

TEST_F(StatusWatchTest, ALaneThatIsReplacedOrRemovedIsFollowed) {
  const std::string out = sandbox_.fresh_path("out");
  EXPECT_TRUE(sandbox_.run({"make", "trace", "one"}).exited_with(0));
  Running watch = start_watch(out);
  ASSERT_TRUE(comes_to_contain(out, "limits:"));
  std::filesystem::remove(state() + "/lane");
  Holder holder{sandbox_};  // in a new lane file
  EXPECT_TRUE(comes_to_contain(out, "holder:  pytest trace holder in"));
  EXPECT_TRUE(holder.release().exited_with(0));
  std::filesystem::remove_all(state());
  const Ended ended = watch.wait();
  EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status);
  EXPECT_EQ(ended.err, "onelane: no project here has adopted onelane (`onelane init`)\n");
}

}  // namespace
}  // namespace onelane::test
