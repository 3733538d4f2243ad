#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "core/settings/sha256.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/job/coalesce/keeper.hpp"
#include "multicall/job/coalesce/taken.hpp"
#include "multicall/job/coalesce/tree_state.hpp"

namespace onelane::multicall::coalesce {
namespace {

namespace fs = std::filesystem;

CallFacts plain_facts() {
  CallFacts facts;
  facts.words = {"make", "check"};
  facts.directory = "/p";
  facts.environment = {"PATH=/bin", "LANG=C"};
  facts.streams.kinds = {Standard::Null, Standard::Other, Standard::Other};
  facts.surroundings = "1000 22";
  return facts;
}

TEST(CallKeyTest, EachFactChangesTheKey) {
  std::set<std::uint64_t> keys{key_of("make", plain_facts()), key_of("gmake", plain_facts())};
  const auto add = [&](auto&& change) {
    CallFacts facts = plain_facts();
    change(facts);
    keys.insert(key_of("make", facts));
  };
  add([](CallFacts& facts) { facts.words = {"makec", "heck"}; });
  add([](CallFacts& facts) { facts.words.push_back(""); });
  add([](CallFacts& facts) { facts.directory = "/p/q"; });
  add([](CallFacts& facts) { facts.environment.push_back("CFLAGS="); });
  add([](CallFacts& facts) { facts.environment[1] = "LANG=C.UTF-8"; });
  add([](CallFacts& facts) { facts.streams.kinds[0] = Standard::Closed; });
  add([](CallFacts& facts) { facts.streams.kinds[2] = Standard::Null; });
  add([](CallFacts& facts) { facts.streams.has_one_output = true; });
  add([](CallFacts& facts) { facts.surroundings = "1000 18"; });
  EXPECT_EQ(keys.size(), 11U);
  EXPECT_EQ(keys.count(0), 0U);
}

TEST(CallKeyTest, OrderAndSessionDoNotChangeTheKey) {
  CallFacts facts = plain_facts();
  facts.environment = {"SSH_TTY=/dev/pts/1", "LANG=C",           "SHLVL=3",    "TMUX_PANE=%1",
                       "PATH=/bin",          "ONELANE_HELD=abc", "_=/bin/make"};
  EXPECT_EQ(key_of("make", facts), key_of("make", plain_facts()));
  EXPECT_FALSE(is_per_session("ONELANE_TIMEOUT"));
  EXPECT_FALSE(is_per_session("PATH"));
}

TEST(CallKeyTest, ACallWithInputOrOutputOfItsOwnIsNotShared) {
  EXPECT_FALSE(objection_to(plain_facts()));
  const auto objects = [](auto&& change) {
    CallFacts facts = plain_facts();
    change(facts);
    return objection_to(facts).has_value();
  };
  EXPECT_TRUE(objects([](CallFacts& f) { f.streams.kinds[0] = Standard::Other; }));
  EXPECT_FALSE(objects([](CallFacts& f) { f.streams.kinds[0] = Standard::Terminal; }));
  EXPECT_TRUE(objects([](CallFacts& f) { f.words.push_back("--config=/dev/fd/63"); }));
  EXPECT_TRUE(objects([](CallFacts& f) { f.environment.push_back("NODE_CHANNEL_FD=3"); }));
  EXPECT_TRUE(objects([](CallFacts& f) { f.directory.clear(); }));
  EXPECT_TRUE(objects([](CallFacts& f) {
    f.streams.kinds = {Standard::Null, Standard::Terminal, Standard::Terminal};
  }));
}

TEST(PartsTest, AreReadBackAsTheyWereWritten) {
  Parts parts;
  parts.add(1, 5);
  parts.add(1, 7);
  parts.add(2, 1);
  parts.add(1, 3);
  EXPECT_EQ(parts.text(), "1 12\n2 1\n1 3\n");
  EXPECT_EQ(parse_parts(parts.text()), parts.list());
  EXPECT_EQ(parse_parts(""), std::vector<Part>{});
  for (const char* text : {"1 12", "3 1\n", "1  1\n", "1 -1\n", "1 \n", "\n", "1 1x\n"}) {
    EXPECT_FALSE(parse_parts(text)) << text;
  }
}

TEST(MayBeTakenTest, OnlyWhatEndedByItself) {
  const auto may = [](journal::Reason reason, std::optional<std::int64_t> code, int signal,
                      int ending_signal = 0) {
    journal::Record record;
    record.reason = reason;
    record.code = code;
    record.signal = signal;
    return may_be_taken(record, ending_signal);
  };
  using journal::Reason;
  EXPECT_TRUE(may(Reason::Exited, 0, 0));
  EXPECT_TRUE(may(Reason::Exited, 3, 0));
  EXPECT_TRUE(may(Reason::Signalled, {}, SIGSEGV));
  EXPECT_FALSE(may(Reason::Exited, 2, 0, SIGINT));
  EXPECT_FALSE(may(Reason::Exited, 128 + SIGKILL, 0));
  EXPECT_FALSE(may(Reason::Exited, {}, 0));
  EXPECT_FALSE(may(Reason::Signalled, {}, SIGKILL));
  EXPECT_FALSE(may(Reason::Signalled, {}, SIGINT));
  for (const Reason reason :
       {Reason::Timeout, Reason::Memory, Reason::Stopped, Reason::Crashed, Reason::NotStarted}) {
    EXPECT_FALSE(may(reason, 0, 0));
  }
}

TEST(Sha256Test, PiecesHashLikeTheWhole) {
  const std::string text(1000, 'x');
  for (const std::size_t piece : {1U, 63U, 64U, 65U, 300U}) {
    settings::Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      hash.add(std::string_view{text}.substr(at, piece));
    }
    EXPECT_EQ(hash.hex(), settings::sha256(text)) << piece;
  }
}

/// A repository with one commit, and the real git.
class TreeStateTest : public testing::Test {
 protected:
  TreeStateTest() {
    std::string pattern = (fs::temp_directory_path() / "tree-XXXXXX").string();
    root_ = fs::canonical(::mkdtemp(pattern.data()));
    shell("git init --quiet . && echo a >a && echo b >b && git add . && git commit -qm x");
  }
  ~TreeStateTest() override { fs::remove_all(root_); }

  void shell(const std::string& command) const {
    const std::string all = "cd " + root_ + " && export HOME=" + root_ +
                            "/.git GIT_CONFIG_NOSYSTEM=1 "
                            "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
                            "GIT_COMMITTER_EMAIL=a@b; " +
                            command;
    ASSERT_EQ(std::system(all.c_str()), 0) << command;
  }
  [[nodiscard]] TreeState look(const Bounds& bounds = {}) const {
    const process::Signals signals;
    return tree_state_of(root_, "/usr/bin/git", signals, bounds);
  }
  [[nodiscard]] std::string state() const {
    const TreeState found = look();
    EXPECT_EQ(found.digits.size(), 32U) << found.why;
    return found.digits;
  }

  std::string root_;
};

TEST_F(TreeStateTest, IsTheSameForTheSameFilesAndAnotherForEachChange) {
  const std::string before = state();
  EXPECT_EQ(state(), before);
  std::set<std::string> states{before};
  for (const char* change :
       {"echo aa >a", "chmod +x b", "echo u >u", "echo v >u", "mv u w", "ln -s a link",
        "ln -sfn b link", "git add w", "rm b", "git commit -qm y --allow-empty",
        "git update-index --skip-worktree a", "echo aaa >a", "git checkout -q -b other"}) {
    shell(change);
    EXPECT_TRUE(states.insert(state()).second) << change;
  }
}

TEST_F(TreeStateTest, LooksIntoRepositoriesBelow) {
  shell("git init -q below && cd below && echo c >c && git add c && git commit -qm c");
  std::set<std::string> states{state()};
  for (const char* change : {"echo d >below/d", "echo cc >below/c", "git add -f below 2>/dev/null",
                             "rm below/d", "cd below && git commit -qam d"}) {
    shell(change);
    EXPECT_TRUE(states.insert(state()).second) << change;
  }
}

TEST_F(TreeStateTest, RunsNoFilterAndWritesNothing) {
  shell(
      "git config filter.f.clean 'touch ran; cat' && git config core.fsmonitor 'touch ran' && "
      "git config diff.external 'touch ran' && echo '* filter=f' >.git/info/attributes && "
      "touch -d 2001-01-01 a && echo bb >b");
  const auto index = [&] {
    std::ifstream file{root_ + "/.git/index", std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{file}, {}};
  };
  const std::string before = index();
  EXPECT_FALSE(state().empty());
  EXPECT_FALSE(fs::exists(root_ + "/ran"));
  EXPECT_EQ(index(), before);
}

TEST_F(TreeStateTest, IsBoundedAndSaysWhyThereIsNone) {
  shell("head -c 100000 /dev/zero >big");
  Bounds bounds;
  bounds.bytes = 99'999;
  EXPECT_EQ(look(bounds).why, "there is too much to read");
  bounds = {};
  bounds.time = {};
  EXPECT_EQ(look(bounds).why, "it takes too long");
  fs::remove_all(root_ + "/.git");
  EXPECT_NE(look().why.find("git rev-parse fails"), std::string::npos);
}

TEST_F(TreeStateTest, AnEndingSignalEndsTheLook) {
  const process::Signals signals;
  ::raise(SIGTERM);  // blocked: pending
  const TreeState state = tree_state_of(root_, "/usr/bin/git", signals);
  EXPECT_EQ(state.signal, SIGTERM);
  EXPECT_TRUE(state.digits.empty());
}

}  // namespace
}  // namespace onelane::multicall::coalesce
