#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/pty.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using testing::HasSubstr;

/// Real git with real editors on a real terminal, typed at as a person would.
class EditorTest : public testing::TestWithParam<Mode> {
 protected:
  EditorTest() {
    sandbox_.use_real("git");
    sandbox_.set_environment("GIT_EDITOR", "vim -N -u NONE -i NONE -n");
    sandbox_.set_environment("GIT_PAGER", "less -X");
    for (const char* name : {"one", "two", "three"}) {
      write(name, std::string{"line of "} + name + "\n");
      git({"add", name});
      git({"commit", "--quiet", "-m", name});
    }
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream{sandbox_.project() + "/" + name} << text;
  }

  /// Runs git without onelane, for preparation and inspection.
  std::string git(std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/git");
    const Ended ended = sandbox_.run(words);
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    return ended.out;
  }

  Shell& shell() {
    if (!shell_) {
      shell_.emplace(Shell::Kind::Bash, sandbox_.environment(), sandbox_.project());
    }
    return *shell_;
  }
  Terminal& terminal() { return shell().terminal(); }

  Sandbox sandbox_{GetParam()};
  std::optional<Shell> shell_;
};

INSTANTIATE_TEST_SUITE_P(Both, EditorTest, testing::Values(Mode::Direct, Mode::Shim),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(EditorTest, CommitTakesTheMessageFromVim) {
  shell().type("git commit --allow-empty");
  terminal().expect("COMMIT_EDITMSG");
  EXPECT_FALSE(shell().is_in_foreground());
  terminal().send("iwritten in vim\x1b:wq\r");
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 0);
  EXPECT_EQ(git({"log", "-1", "--format=%s"}), "written in vim\n");
}

TEST_P(EditorTest, VimCanBeSuspendedAndResumed) {
  shell().type("git commit --allow-empty");
  terminal().expect("COMMIT_EDITMSG");
  terminal().send("isuspended once\x1b");
  terminal().suspend();  // vim reads it as a key, restores the screen and stops its group
  shell().wait_for_prompt();
  EXPECT_TRUE(shell().is_in_foreground());
  EXPECT_THAT(shell().command("jobs"), HasSubstr("Stopped"));
  shell().type("fg");
  terminal().expect("suspended once");
  terminal().send(":wq\r");
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 0);
  EXPECT_EQ(git({"log", "-1", "--format=%s"}), "suspended once\n");
}

TEST_P(EditorTest, AnEmptyMessageAbortsWithGitsCode) {
  shell().type("git commit --allow-empty");
  terminal().expect("COMMIT_EDITMSG");
  terminal().send(":q!\r");
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 1);
  EXPECT_EQ(git({"log", "-1", "--format=%s"}), "three\n");
}

TEST_P(EditorTest, CommitTakesTheMessageFromNano) {
  if (!std::filesystem::exists("/usr/bin/nano")) {
    GTEST_SKIP() << "no nano here";
  }
  sandbox_.set_environment("GIT_EDITOR", "nano -I");
  shell().type("git commit --allow-empty");
  terminal().expect("COMMIT_EDITMSG");
  terminal().send("written in nano\x0f");  // Ctrl-O
  terminal().expect("File Name");
  terminal().send("\r");
  terminal().expect("Wrote");
  terminal().send("\x18");  // Ctrl-X
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 0);
  EXPECT_EQ(git({"log", "-1", "--format=%s"}), "written in nano\n");
}

TEST_P(EditorTest, InteractiveRebaseOpensItsTwoEditors) {
  shell().type("git rebase -i HEAD~2");
  terminal().expect("git-rebase-todo");
  terminal().send(":2s/pick/squash/\r:wq\r");
  terminal().expect("COMMIT_EDITMSG");
  terminal().send(":wq\r");
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 0);
  EXPECT_EQ(git({"log", "-1", "--format=%B"}), "two\n\nthree\n\n");
  EXPECT_EQ(git({"rev-list", "--count", "HEAD"}), "2\n");
}

TEST_P(EditorTest, InteractiveAddAsksForEachHunk) {
  write("one", "changed\n");
  write("two", "changed\n");
  shell().type("git add -p");
  terminal().expect("Stage this hunk");
  terminal().send("y\n");
  terminal().expect("Stage this hunk");
  terminal().send("n\n");
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 0);
  EXPECT_EQ(git({"diff", "--cached", "--name-only"}), "one\n");
}

TEST_P(EditorTest, InteractiveAddCanBeInterrupted) {
  write("one", "changed\n");
  shell().type("git add -p");
  terminal().expect("Stage this hunk");
  terminal().interrupt();
  shell().wait_for_prompt();
  EXPECT_EQ(shell().last_status(), 130);
  EXPECT_EQ(git({"diff", "--cached", "--name-only"}), "");
}

TEST_P(EditorTest, ThePagerPagesAndQuits) {
  write("many", std::string(3'000, '\n') + "the end\n");
  shell().type("git diff --no-index /dev/null many");
  terminal().expect(":");
  terminal().send("G");
  terminal().expect("the end");
  terminal().send("q");
  shell().wait_for_prompt();
  EXPECT_TRUE(shell().is_in_foreground());
}

TEST_P(EditorTest, APagerBelowALaneRunReadsTheTerminal) {
  write("many", std::string(3'000, '\n') + "the end\n");
  shell().type("make call less -X many end exit 5");
  terminal().expect("many");
  terminal().send("G");
  terminal().expect("the end");
  terminal().send("q");
  shell().wait_for_prompt();
  EXPECT_TRUE(shell().is_in_foreground());
  EXPECT_EQ(shell().last_status(), 5);
}

}  // namespace
}  // namespace onelane::test
