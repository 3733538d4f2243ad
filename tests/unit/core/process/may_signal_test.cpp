#include "core/process/may_signal.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace onelane::process {
namespace {

constexpr const char* kRun = "runaaaaaaaa";
constexpr const char* kOuter = "outerabcdef";

// --- The rule: target, facts, result ----------------------------------------------------------

struct Case {
  const char* name;
  std::function<void(Target&, SignalFacts&)> spoil;
  Spared expected;
  friend void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }
};

/// A member without any reason to spare it; each case changes one fact.
class WhySparedTest : public ::testing::TestWithParam<Case> {
 protected:
  WhySparedTest() {
    target_.id = {100, 7};
    target_.boot = facts_.boot = 42;
    target_.run_id = kRun;
    target_.uid = facts_.uid = 1000;
    facts_.now.emplace();
    facts_.now->id = target_.id;
    facts_.now->state = 'S';
    facts_.now->threads = 1;
    facts_.held = std::string{kOuter} + "," + kRun;
  }
  Target target_;
  SignalFacts facts_;
};

TEST_P(WhySparedTest, IsReported) {
  GetParam().spoil(target_, facts_);
  EXPECT_EQ(why_spared(target_, facts_), GetParam().expected);
}

void as_supervisor(Target& target, SignalFacts& facts) {
  target.as = Target::As::Supervisor;
  facts.held.clear();
  facts.is_onelane = facts.has_place = true;
}

const std::vector<Case> kCases{
    {"AMemberIsNot", [](Target&, SignalFacts&) {}, Spared::No},
    {"AMemberOfTheOuterRunIsNot", [](Target& t, SignalFacts&) { t.run_id = kOuter; }, Spared::No},
    {"NorWhatIsBelowOne",
     [](Target& t, SignalFacts& f) {
       t.as = Target::As::Below;
       f.held.clear();
     },
     Spared::No},
    {"NorWhatWeHaveFoundBefore",
     [](Target& t, SignalFacts& f) {
       t.as = Target::As::Named;
       f.held.clear();
     },
     Spared::No},
    {"NorWhatARunWithoutAnIdHasSeen",
     [](Target& t, SignalFacts&) {
       t.as = Target::As::Named;
       t.run_id.clear();
     },
     Spared::No},
    {"NorAnyUsersWhereNoRecordIsBelieved",
     [](Target& t, SignalFacts& f) {
       t.uid.reset();
       f.uid = 1;
     },
     Spared::No},
    {"APidOfAnotherBoot", [](Target& t, SignalFacts&) { t.boot = 41; }, Spared::OtherBoot},
    {"ARecordWithoutABoot", [](Target& t, SignalFacts&) { t.boot = 0; }, Spared::OtherBoot},
    {"AReusedPid", [](Target&, SignalFacts& f) { ++f.now->id.start; }, Spared::Gone},
    {"APidThatNoProcessHas", [](Target&, SignalFacts& f) { f.now.reset(); }, Spared::Gone},
    {"AZombie", [](Target&, SignalFacts& f) { f.now->state = 'Z'; }, Spared::Gone},
    {"AnIdOfOneLetter", [](Target& t, SignalFacts&) { t.run_id = "a"; }, Spared::NoRun},
    {"AnIdOfNoLetter", [](Target& t, SignalFacts&) { t.run_id.clear(); }, Spared::NoRun},
    {"AnIdOfAllThatIsHeld", [](Target& t, SignalFacts& f) { t.run_id = f.held; }, Spared::NoRun},
    {"AnIdThatIsAlmostTheOne", [](Target& t, SignalFacts&) { t.run_id = "runaaaaaaab"; },
     Spared::Foreign},
    {"AnIdAcrossTwo", [](Target& t, SignalFacts&) { t.run_id = "abcdefrunaa"; }, Spared::Foreign},
    {"ABadIdWhateverItIsCalled",
     [](Target& t, SignalFacts&) {
       t.as = Target::As::Named;
       t.run_id = "a";
     },
     Spared::NoRun},
    {"WithoutAMarker", [](Target&, SignalFacts& f) { f.held.clear(); }, Spared::Foreign},
    {"AnotherUsers", [](Target&, SignalFacts& f) { f.uid = 0; }, Spared::OtherUser},
    {"OneWhoseUserCannotBeRead", [](Target&, SignalFacts& f) { f.uid.reset(); }, Spared::OtherUser},
    {"AnotherUsersBelowAMember",
     [](Target& t, SignalFacts& f) {
       t.as = Target::As::Below;
       f.uid = 1001;
     },
     Spared::OtherUser},
    {"BelowALiveSupervisor", [](Target&, SignalFacts& f) { f.is_supervised = true; },
     Spared::Supervised},
    {"WhatIsKept", [](Target&, SignalFacts& f) { f.is_kept = true; }, Spared::Kept},
    {"TheCallerAndItsAncestors", [](Target&, SignalFacts& f) { f.is_ours = true; }, Spared::Ours},
    {"ASupervisorInItsPlaceIsNot", &as_supervisor, Spared::No},
    {"AnEntryThatNamesAnotherProgram",
     [](Target& t, SignalFacts& f) {
       as_supervisor(t, f);
       f.is_onelane = false;
     },
     Spared::NoOnelane},
    {"AnEntryThatNamesAnotherOnelane",
     [](Target& t, SignalFacts& f) {
       as_supervisor(t, f);
       f.has_place = false;
     },
     Spared::NoPlace},
    {"AnEntryWhosePidIsAnothersNow",
     [](Target& t, SignalFacts& f) {
       as_supervisor(t, f);
       ++f.now->id.start;
     },
     Spared::Gone},
    {"AnEntryOfAnotherBoot",
     [](Target& t, SignalFacts& f) {
       as_supervisor(t, f);
       t.boot = 41;
     },
     Spared::OtherBoot},
    {"AnEntryThatNamesTheCallersAncestor",
     [](Target& t, SignalFacts& f) {
       as_supervisor(t, f);
       f.is_ours = true;
     },
     Spared::Ours},
};

INSTANTIATE_TEST_SUITE_P(Each, WhySparedTest, ::testing::ValuesIn(kCases),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(MaySuperviseTest, IsTheProcessWhoseOwnRunComesRightBefore) {
  const std::string both = std::string{kOuter} + "," + kRun;
  EXPECT_TRUE(may_supervise("", kRun, kRun));
  EXPECT_TRUE(may_supervise(kOuter, both, kRun));
  EXPECT_TRUE(may_supervise("", both, kOuter));
  EXPECT_TRUE(may_supervise(kOuter, both + ",innerabcdef", kRun));
  EXPECT_FALSE(may_supervise("", both, kRun)) << "the supervisor of the outer run";
  EXPECT_FALSE(may_supervise(kRun, both, kRun)) << "started in the run itself";
  EXPECT_FALSE(may_supervise(both, both + ",innerabcdef", kRun));
  EXPECT_TRUE(may_supervise("", "", kRun)) << "nothing says that it is not";
}

// --- The facts, from living processes ---------------------------------------------------------

/// Sleeps and shells that carry a marker.
class SignalJudgeTest : public ::testing::Test {
 protected:
  ~SignalJudgeTest() override {
    for (const pid_t pid : started_) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  pid_t start(const std::string& held, const std::string& script = "exec sleep 300",
              const std::string& more = "MORE=1") {
    const std::string marker = "ONELANE_HELD=" + held;
    const char* argv[] = {"sh", "-c", script.c_str(), nullptr};
    const char* environment[] = {marker.c_str(), more.c_str(), "EXECUTED=1", nullptr};
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setpgid(0, 0);
      ::execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(environment));
      ::_exit(127);
    }
    started_.push_back(pid);
    // In the middle of the shell's own exec a process has no environment.
    const std::string_view name = script.starts_with("exec sleep") ? "sleep" : "sh";
    const auto is_there = [&] {
      const auto stat = sys::read_stat(pid);
      return stat && name == stat->name.data() && sys::initial_environment(pid, "EXECUTED");
    };
    for (int round = 0; round < 5'000 && !is_there(); ++round) {
      ::usleep(1'000);
    }
    return pid;
  }
  static pid_t child_of(pid_t pid) {
    for (int round = 0; round < 5'000; ++round) {
      for (const auto& stat : sys::descendants_of(pid)) {
        if (std::string_view{stat.name.data()} == "sleep") {
          return stat.id.pid;
        }
      }
      ::usleep(1'000);
    }
    return -1;
  }
  static Target member(pid_t pid, const std::string& run_id = kRun) {
    Target target;
    target.id = sys::read_stat(pid)->id;
    target.boot = static_cast<std::uint32_t>(sys::boot_id());
    target.run_id = run_id;
    target.uid = ::getuid();
    return target;
  }
  Spared judge(const Target& target) {
    SignalRules rules;
    rules.is_onelane = [this](pid_t pid) { return pid == onelane_; };
    rules.has_place = [this](pid_t pid) { return pid == placed_; };
    return SignalJudge{std::move(rules)}.judge(target);
  }

  pid_t onelane_ = -1;
  pid_t placed_ = -1;
  std::vector<pid_t> started_;
};

TEST_F(SignalJudgeTest, AMarkerIsComparedWhole) {
  const pid_t pid = start(kRun);
  EXPECT_EQ(judge(member(pid)), Spared::No);
  EXPECT_EQ(judge(member(pid, "runaaaaaaab")), Spared::Foreign);
  EXPECT_EQ(judge(member(pid, "r")), Spared::NoRun);
  Target reused = member(pid);
  ++reused.id.start;
  EXPECT_EQ(judge(reused), Spared::Gone);
  Target others = member(pid);
  others.uid = ::getuid() + 1;
  EXPECT_EQ(judge(others), Spared::OtherUser);
}

TEST_F(SignalJudgeTest, TheSupervisorAboveSparesItAndAnOuterRunsDoesNot) {
  const std::string held = std::string{kOuter} + "," + kRun;
  const pid_t top = start(kOuter, "env ONELANE_HELD=" + held + " sleep 300 & wait");
  const pid_t below = child_of(top);
  for (int round = 0; round < 5'000; ++round) {
    if (sys::initial_environment(below, "ONELANE_HELD") == held) {
      break;
    }
    ::usleep(1'000);
  }
  EXPECT_EQ(judge(member(below)), Spared::No);
  onelane_ = top;
  EXPECT_EQ(judge(member(below)), Spared::Supervised);
  onelane_ = ::getpid();  // does not have these runs in its environment
  EXPECT_EQ(judge(member(below)), Spared::No);
  EXPECT_EQ(judge(member(below, kOuter)), Spared::Supervised);
}

TEST_F(SignalJudgeTest, ASupervisorThatHidesItsIdentitySparesIt) {
  const pid_t pid =
      start(kRun, "exec sleep 300", "SEQUENTIAL_EXECUTOR_PID=" + std::to_string(::getpid()));
  onelane_ = 1;
  EXPECT_EQ(judge(member(pid)), Spared::Supervised);
}

TEST_F(SignalJudgeTest, ADescendantOfAMemberIsSupervisedWithIt) {
  const pid_t top = start(kRun, "env -i sleep 300 & wait");
  Target below = member(child_of(top));
  EXPECT_EQ(judge(below), Spared::Foreign);
  below.as = Target::As::Below;
  below.root = sys::read_stat(top)->id;
  EXPECT_EQ(judge(below), Spared::No);
  onelane_ = ::getpid();
  EXPECT_EQ(judge(below), Spared::Supervised);
}

TEST_F(SignalJudgeTest, TheCallerIsNeverSignalled) {
  for (const pid_t pid : {::getpid(), ::getppid()}) {
    Target target = member(pid);
    target.as = Target::As::Named;
    EXPECT_EQ(judge(target), Spared::Ours);
  }
}

TEST_F(SignalJudgeTest, ASupervisorHasItsPlace) {
  const pid_t pid = start("");
  Target target = member(pid);
  target.as = Target::As::Supervisor;
  EXPECT_EQ(judge(target), Spared::NoOnelane);
  onelane_ = pid;
  EXPECT_EQ(judge(target), Spared::NoPlace);
  placed_ = pid;
  EXPECT_EQ(judge(target), Spared::No);
}

}  // namespace
}  // namespace onelane::process
