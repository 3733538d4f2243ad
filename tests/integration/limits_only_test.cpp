#include "tests/integration/run_scene.hpp"

namespace onelane::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LimitsOnlyTest : public RunScene {};

TEST_F(LimitsOnlyTest, ItRunsBesideTheHolderAndIsListed) {
  Holder holder{sandbox_};
  Gate gate{sandbox_, "second"};
  Running beside =
      start_run({"--limits-only", "--", tool(), "trace", "beside", "hold-until", gate.path()});
  sandbox_.wait_for("beside");
  const auto status = status_of(sandbox_);
  ASSERT_EQ(status["services"].size(), 1U) << status;
  EXPECT_THAT(status["services"][0]["command"].get<std::string>(), HasSubstr("trace beside"));
  gate.open();
  EXPECT_TRUE(beside.wait().exited_with(0));
  EXPECT_EQ(journal().at(0)["class"], "service");
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(LimitsOnlyTest, TimeLimitsAreInForce) {
  const Ended ended = run({"--limits-only", "--timeout", "1", "--", "sleep", "300"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status);
}

TEST_F(LimitsOnlyTest, ACallBelowTheHolderHasLimitsOfItsOwn) {
  const Ended ended = sandbox_.run({"make", "call", onelane_of(sandbox_), "run", "--timeout", "1",
                                    "--", tool(), "trace", "inner", "sleep", "300000", "end"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("--timeout"));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("inner"));
}

TEST_F(LimitsOnlyTest, WithoutAProjectThereAreLimits) {
  Start elsewhere;
  elsewhere.directory = sandbox_.root();
  const Ended ended = sandbox_.run(run_words({"--timeout", "1", "--", "sleep", "300"}), elsewhere);
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << ended.err;
}

}  // namespace
}  // namespace onelane::test
