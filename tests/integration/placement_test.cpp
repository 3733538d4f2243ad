#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Words = std::vector<std::string>;

/// Which lane a call takes, by where it acts.
class PlacementTest : public testing::Test {
 protected:
  void git(const Words& words, const std::string& directory = {}) {
    Words argv{"/usr/bin/git", "-c", "protocol.file.allow=always"};
    argv.insert(argv.end(), words.begin(), words.end());
    const Ended ended = run_in(directory, argv);
    ASSERT_TRUE(ended.exited_with(0)) << ended.err;
  }
  Running start_in(const std::string& directory, const Words& words) {
    Start options;
    options.directory = directory;
    return sandbox_.start(words, options);
  }
  Ended run_in(const std::string& directory, const Words& words) {
    return start_in(directory, words).wait();
  }
  /// `words` in `directory` wait for the lane of the sandbox's project.
  void expect_to_queue(const std::string& directory, const Words& words) {
    Holder holder{sandbox_};
    Running waiting = start_in(directory, words);
    EXPECT_TRUE(comes_to_queue(sandbox_, 1));
    EXPECT_TRUE(holder.release().exited_with(0));
    const Ended ended = waiting.wait();
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  }

  Sandbox sandbox_{Mode::Shim};
  const std::string project_ = sandbox_.project();
};

TEST_F(PlacementTest, ALinkedWorkTreeIsAdoptedAndHasALaneOfItsOwn) {
  const std::string tree = sandbox_.root() + "/tree";
  git({"commit", "--quiet", "--allow-empty", "-m", "one"});
  git({"worktree", "add", "--quiet", tree});
  Holder main_tree{sandbox_, "main"};
  Holder linked{sandbox_, "linked", tree};
  Running waiting = start_in(tree, {"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, tree));
  EXPECT_THAT(status_of(sandbox_)["queue"], IsEmpty());
  EXPECT_TRUE(linked.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_TRUE(main_tree.release().exited_with(0));
  EXPECT_THAT(sandbox_.texts(),
              ElementsAre("main in", "linked in", "linked out", "mine", "main out"));
}

TEST_F(PlacementTest, ASubmoduleThatHasNotAdoptedUsesTheLaneOfItsSuperproject) {
  const std::string other = sandbox_.root() + "/other";
  git({"init", "--quiet", other});
  git({"commit", "--quiet", "--allow-empty", "-m", "one"}, other);
  git({"submodule", "--quiet", "add", other, "sub"});
  expect_to_queue(project_ + "/sub", {"make", "trace", "mine"});
  EXPECT_FALSE(fs::exists(project_ + "/.git/modules/sub/onelane"));
}

TEST_F(PlacementTest, ABareRepositoryThatAdoptedHasALane) {
  const std::string bare = sandbox_.root() + "/bare.git";
  git({"init", "--quiet", "--bare", bare});
  fs::create_directory(bare + "/onelane");
  Holder holder{sandbox_, "holder", bare};
  EXPECT_EQ(status_of(sandbox_, bare)["lane"], bare + "/onelane");
  Running waiting = start_in(bare, {"make", "trace", "mine"});
  EXPECT_TRUE(comes_to_queue(sandbox_, 1, bare));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
}

TEST_F(PlacementTest, GitDirInTheEnvironmentNamesTheProjectOfGit) {
  sandbox_.use_real("git");
  sandbox_.set_environment("GIT_WORK_TREE", project_);
  sandbox_.set_environment("GIT_DIR", project_ + "/.git");
  expect_to_queue(sandbox_.root() + "/tmp",
                  {"git", "commit", "--quiet", "--allow-empty", "-m", "from afar"});
}

TEST_F(PlacementTest, GitDirInTheEnvironmentMeansNothingToMake) {
  const std::string other = make_project(sandbox_, "other");
  Holder holder{sandbox_};
  sandbox_.set_environment("GIT_DIR", project_ + "/.git");
  EXPECT_TRUE(run_in(other, {"make", "trace", "mine"}).exited_with(0));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "mine", "holder out"));
}

TEST_F(PlacementTest, ADirectoryNamedOnTheCommandLineDecides) {
  sandbox_.use_real("git");
  expect_to_queue(sandbox_.root() + "/tmp",
                  {"git", "-C", project_, "commit", "--quiet", "--allow-empty", "-m", "one"});
}

/// Path and size of everything below `directory`.
std::map<std::string, std::uintmax_t> listing(const std::string& directory) {
  std::map<std::string, std::uintmax_t> out;
  for (const auto& entry : fs::recursive_directory_iterator{directory}) {
    out[entry.path()] = entry.is_regular_file() ? entry.file_size() : 0;
  }
  return out;
}

TEST_F(PlacementTest, NothingIsWrittenWhereOnelaneWasNotAdopted) {
  const std::string stranger = sandbox_.root() + "/stranger";
  const std::string nowhere = sandbox_.root() + "/nowhere";
  fs::create_directory(nowhere);
  git({"init", "--quiet", stranger});
  for (const std::string& directory : {stranger, nowhere}) {
    const auto before = listing(directory);
    for (const Words& words : {Words{"make", "trace", "ran"}, Words{"pytest", "trace", "ran"},
                               Words{"npm", "trace", "ran"}, Words{"vitest", "trace", "ran"}}) {
      const Ended ended = run_in(directory, words);
      EXPECT_TRUE(ended.exited_with(0)) << ended.err;
      EXPECT_EQ(ended.err, "");
    }
    EXPECT_EQ(listing(directory), before);
  }
  EXPECT_EQ(sandbox_.texts("ran").size(), 8U);
}

TEST_F(PlacementTest, TwoCallsWhereOnelaneWasNotAdoptedRunSideBySide) {
  const std::string stranger = sandbox_.root() + "/stranger";
  git({"init", "--quiet", stranger});
  Holder a{sandbox_, "a", stranger};
  Holder b{sandbox_, "b", stranger};
  EXPECT_TRUE(a.release().exited_with(0));
  EXPECT_TRUE(b.release().exited_with(0));
}

// --- Switched off, and callers with odd surroundings ---------------------------------

TEST_F(PlacementTest, OffPassesBeforeAnyFileOfTheProjectIsOpened) {
  if (!sandbox_.run({"strace", "-o", "/dev/null", "true"}).exited_with(0)) {
    GTEST_SKIP() << "strace is not there or may not trace";
  }
  Holder holder{sandbox_};  // the lane file exists, and waiting would show
  const std::string calls = sandbox_.fresh_path("calls");
  sandbox_.set_environment("ONELANE", "off");
  const Words call{"strace", "-f", "-e", "trace=%file", "-o", calls, "make", "out", "hello"};
  EXPECT_EQ(sandbox_.run(call).out, "hello\n");
  EXPECT_THAT(contents_of(calls), HasSubstr("execve("));
  EXPECT_THAT(contents_of(calls), Not(HasSubstr(project_ + "/")));
  EXPECT_THAT(contents_of(calls), Not(HasSubstr("onelane.toml")));
  EXPECT_TRUE(holder.release().exited_with(0));
  sandbox_.set_environment("ONELANE", std::nullopt);
  EXPECT_EQ(sandbox_.run(call).out, "hello\n");  // what the check above would have found
  EXPECT_THAT(contents_of(calls), HasSubstr(project_ + "/.git/onelane"));
}

TEST_F(PlacementTest, WithoutHomeACallQueues) {
  expect_to_queue({}, {"env", "-u", "HOME", "make", "trace", "mine"});
}

TEST_F(PlacementTest, WithoutPathTheSystemsToolRunsInTheLane) {
  std::ofstream{project_ + "/Makefile"} << "all:\n\t@/bin/echo made\n";
  Holder holder{sandbox_};
  Running waiting = sandbox_.start({"env", "-u", "PATH", sandbox_.shims() + "/make"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = waiting.wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "made\n");
}

TEST_F(PlacementTest, AnyOfTheStandardDescriptorsMayBeClosed) {
  for (int which = 0; which < 8; ++which) {
    Start options;
    options.standard_input = (which & 1) != 0 ? Stream::Closed : Stream::Null;
    options.standard_output = (which & 2) != 0 ? Stream::Closed : Stream::Captured;
    options.standard_error = (which & 4) != 0 ? Stream::Closed : Stream::Captured;
    EXPECT_TRUE(sandbox_.run({"make", "exit", "3"}, options).exited_with(3)) << which;
  }
}

TEST_F(PlacementTest, WithEverythingClosedTheNoticeOfAWaitHitsNoFile) {
  const std::string messages = sandbox_.fresh_path("messages");
  Holder holder{sandbox_};
  Start closed;
  closed.standard_input = closed.standard_output = closed.standard_error = Stream::Closed;
  Running waiting = sandbox_.start({"make", "trace", "mine"}, closed);
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running later = sandbox_.start({"bash", "-c", "exec make trace later 2>" + messages});
  ASSERT_TRUE(
      comes_to_contain(messages, "\n"));  // so the other call has had something to print, too
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_TRUE(later.wait().exited_with(0));
  EXPECT_THAT(contents_of(project_ + "/.git/onelane/lane"), Not(HasSubstr("waiting for lane")));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "mine", "later"));
}

}  // namespace
}  // namespace onelane::test
