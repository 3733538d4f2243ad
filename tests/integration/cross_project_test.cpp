#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Words = std::vector<std::string>;
using std::to_string;

/// Runs that call into other projects, with the environment kept or emptied on the way.
class CrossProjectTest : public testing::TestWithParam<bool> {
 protected:
  /// `make trace NAME` in `directory`, as another project's recipe calls it. It is one shell word:
  /// otherwise the outer make would take an option of env as its own.
  Words make_in(const std::string& directory, const std::string& name) {
    const std::string empty =
        GetParam() ? "env -i PATH='" + variable_of(sandbox_, "PATH") + "' " : "";
    return {"sh", "-c",
            "cd " + directory + " && exec " + empty + "make trace-file " + sandbox_.root() +
                "/trace trace '" + name + "'"};
  }
  /// A run of `directory` that calls make in `other` when told to. Traces `NAME in`, `NAME below`
  /// from there, and `NAME out`.
  Running start_run(const std::string& name, const std::string& directory, const std::string& other,
                    const Words& before) {
    Words words{"make", "trace", name + " in"};
    words.insert(words.end(), before.begin(), before.end());
    words.push_back("call");
    const Words call = make_in(other, name + " below");
    words.insert(words.end(), call.begin(), call.end());
    words.insert(words.end(), {"end", "trace", name + " out"});
    Start options;
    options.directory = directory;
    return sandbox_.start(words, options);
  }
  std::string holding(const Running& run, const std::string& directory) {
    return " (pid " + to_string(run.pid()) + ", " + directory + ")";
  }

  Sandbox sandbox_{Mode::Shim};
  const std::string a_ = sandbox_.project();
  const std::string b_ = make_project(sandbox_, "b");
  const std::string c_ = make_project(sandbox_, "c");
};

INSTANTIATE_TEST_SUITE_P(Environment, CrossProjectTest, testing::Values(false, true),
                         [](const auto& each) { return each.param ? "Emptied" : "Kept"; });

TEST_P(CrossProjectTest, TwoProjectsRunSideBySide) {
  Holder a{sandbox_, "a", a_};
  Holder b{sandbox_, "b", b_};
  EXPECT_EQ(status_of(sandbox_, a_)["holder"]["directory"], a_);
  EXPECT_EQ(status_of(sandbox_, b_)["holder"]["directory"], b_);
  EXPECT_TRUE(a.release().exited_with(0));
  EXPECT_TRUE(b.release().exited_with(0));
}

TEST_P(CrossProjectTest, ARunCallsIntoAFreeProject) {
  const Ended ended = start_run("a", a_, b_, {}).wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(sandbox_.texts(), ElementsAre("a in", "a below", "a out"));
}

TEST_P(CrossProjectTest, ARunThatCallsIntoABusyProjectWaitsThere) {
  Holder b{sandbox_, "b", b_};
  Running a = start_run("a", a_, b_, {});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, b_));
  EXPECT_TRUE(b.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("b in", "a in", "b out", "a below", "a out"));
}

TEST_P(CrossProjectTest, TheCallThatClosesACircleOfTwoGivesUpAndTheOtherCompletes) {
  Gate gate{sandbox_};
  Running b = start_run("b", b_, a_, {"hold-until", gate.path()});
  sandbox_.wait_for("b in");
  Running a = start_run("a", a_, b_, {});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, b_));
  const std::string b_runs = holding(b, b_);
  gate.open();
  const Ended closer = b.wait();
  EXPECT_TRUE(closer.exited_with(75)) << describe_status(closer.wait_status) << closer.err;
  EXPECT_THAT(closer.err, AllOf(HasSubstr("onelane: deadlock: this call waits for make trace a in"),
                                HasSubstr(holding(a, a_) + ", below which make trace-file "),
                                HasSubstr(", " + b_ + ") waits for make trace b in"),
                                HasSubstr(b_runs + ", below which this call was made\n")));
  const Ended other = a.wait();
  EXPECT_TRUE(other.exited_with(0)) << describe_status(other.wait_status) << other.err;
  EXPECT_THAT(other.err, Not(HasSubstr("deadlock")));
  EXPECT_THAT(sandbox_.texts("a"), ElementsAre("a in", "a below", "a out"));
  EXPECT_THAT(sandbox_.texts("b"), ElementsAre("b in"));
}

TEST_P(CrossProjectTest, TheCallThatClosesACircleOfThreeGivesUpAndTheOthersComplete) {
  Gate gate{sandbox_};
  Running c = start_run("c", c_, a_, {"hold-until", gate.path()});
  sandbox_.wait_for("c in");
  Running b = start_run("b", b_, c_, {});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, c_));
  Running a = start_run("a", a_, b_, {});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, b_));
  const std::string c_runs = holding(c, c_);
  gate.open();
  const Ended closer = c.wait();
  EXPECT_TRUE(closer.exited_with(75)) << describe_status(closer.wait_status) << closer.err;
  EXPECT_THAT(closer.err, AllOf(HasSubstr("onelane: deadlock: this call waits for make trace a in"),
                                HasSubstr(holding(a, a_)), HasSubstr(holding(b, b_)),
                                HasSubstr(c_runs + ", below which this call was made\n")));
  EXPECT_TRUE(b.wait().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), Not(Contains("c below")));
  EXPECT_THAT(sandbox_.texts("a out"), ElementsAre("a out"));
  EXPECT_THAT(sandbox_.texts("b out"), ElementsAre("b out"));
}

TEST_P(CrossProjectTest, WhenBothCallAtTheSameMomentExactlyOneGivesUp) {
  for (int round = 0; round < 10; ++round) {
    const std::string name = to_string(round);
    Running a = start_run("a" + name, a_, b_, {"await-trace", "b" + name + " in"});
    Running b = start_run("b" + name, b_, a_, {"await-trace", "a" + name + " in"});
    const Ended a_ended = a.wait();
    const Ended b_ended = b.wait();
    EXPECT_NE(a_ended.exited_with(75), b_ended.exited_with(75)) << a_ended.err << b_ended.err;
    EXPECT_NE(a_ended.exited_with(0), b_ended.exited_with(0)) << a_ended.err << b_ended.err;
    EXPECT_THAT(a_ended.err + b_ended.err, HasSubstr("onelane: deadlock: this call waits for "));
  }
}

TEST_P(CrossProjectTest, AQueueBetweenTheTwoProjectsDoesNotHideTheCircle) {
  // A call that is not part of the circle waits in the same lane, before the call in question.
  Gate gate{sandbox_};
  Running b = start_run("b", b_, a_, {"hold-until", gate.path()});
  sandbox_.wait_for("b in");
  Start in_b;
  in_b.directory = b_;
  Running bystander = sandbox_.start({"make", "trace", "bystander"}, in_b);
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, b_));
  Running a = start_run("a", a_, b_, {});
  ASSERT_TRUE(comes_to_queue(sandbox_, 2, b_));
  gate.open();
  EXPECT_TRUE(b.wait().exited_with(75));
  EXPECT_TRUE(bystander.wait().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_TRUE(eventually([&] { return status_of(sandbox_, b_)["holder"].is_null(); }));
  EXPECT_THAT(status_of(sandbox_, b_)["queue"], IsEmpty());
}

TEST_P(CrossProjectTest, OnDeadlockRunRunsTheCallThatClosesTheCircle) {
  Gate gate{sandbox_};
  for (const std::string& project : {a_, b_}) {
    std::ofstream{project + "/onelane.toml"} << "on_deadlock = \"run\"\n";
  }
  Running b = start_run("b", b_, a_, {"hold-until", gate.path()});
  sandbox_.wait_for("b in");
  Running a = start_run("a", a_, b_, {});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, b_));
  gate.open();
  const Ended closer = b.wait();
  EXPECT_TRUE(closer.exited_with(0)) << describe_status(closer.wait_status) << closer.err;
  EXPECT_THAT(closer.err, HasSubstr("; running without the lane (ON_DEADLOCK=run)\n"));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts("b"), ElementsAre("b in", "b below", "b out"));
}

}  // namespace
}  // namespace onelane::test
