#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/integration/workplace.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// `init --agent claude` on a terminal, in a project that has adopted onelane.
class InitQuestionTest : public testing::Test {
 protected:
  InitQuestionTest() { shop_.must({"init", "--no-direnv"}); }

  [[nodiscard]] std::vector<std::string> words(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{shop_.sandbox().root() + "/admin/onelane", "init", "--agent",
                                   "claude"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// Answers the question; returns how init ends.
  int answer(std::string_view text) {
    Terminal terminal{words(), shop_.sandbox().environment(), shop_.path()};
    shown_ = terminal.expect("write these for claude? [y/N] ");
    EXPECT_EQ(shop_.tree(), before_) << "written before the answer";
    terminal.send(text);
    return terminal.wait();
  }
  void expect_nothing_written(std::string_view text) {
    const int status = answer(text);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << describe_status(status);
    EXPECT_EQ(shop_.tree(), before_);
  }

  Workplace shop_;
  std::string shown_;
  std::map<std::string, std::string> before_;
  void SetUp() override { before_ = shop_.tree(); }
};

TEST_F(InitQuestionTest, YesWritesWhatWasShown) {
  const int status = answer("y\n");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << describe_status(status);
  EXPECT_THAT(shown_, AllOf(HasSubstr("would write .claude/settings.json\r\n"),
                            HasSubstr("+++ b/.claude/settings.json"), HasSubstr("SessionStart"),
                            HasSubstr("would write .onelane/shell\r\n")));
  EXPECT_THAT(shop_.read(".claude/settings.json"), HasSubstr("SessionStart"));
  EXPECT_TRUE(shop_.has(".onelane/shell"));
}

TEST_F(InitQuestionTest, NoWritesNothing) {
  expect_nothing_written("n\n");
  expect_nothing_written("yesterday\n");
}

TEST_F(InitQuestionTest, EnterAloneWritesNothing) {
  expect_nothing_written("\n");
}

TEST_F(InitQuestionTest, EndOfFileWritesNothingAlsoBehindAWord) {
  expect_nothing_written("\x04");
  expect_nothing_written("y\x04");
}

TEST_F(InitQuestionTest, CtrlCWritesNothing) {
  const int status = answer("\x03");
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << describe_status(status);
  EXPECT_EQ(shop_.tree(), before_);
}

TEST_F(InitQuestionTest, JsonShowsNoDiffAndSoAsksNothing) {
  Terminal terminal{words({"--json"}), shop_.sandbox().environment(), shop_.path()};
  terminal.expect("nothing written for claude: --yes writes it");
  const int status = terminal.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 64) << describe_status(status);
  EXPECT_EQ(shop_.tree(), before_);
}

}  // namespace
}  // namespace onelane::test
