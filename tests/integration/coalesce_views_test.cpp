// What the commands say about calls that coalesce.
#include "tests/integration/coalesce_scene.hpp"
#include "tests/support/schema.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class CoalesceViewsTest : public CoalesceScene {};

TEST_F(CoalesceViewsTest, OneLineSaysWhoseResultItIsAndTheListsShowIt) {
  sandbox_.set_environment("ONELANE_QUIET", std::nullopt);
  Holder holder{sandbox_};
  Running first = enter({"make", "trace", "ran", "out", "x"});
  Running second = enter({"make", "trace", "ran", "out", "x"});
  const json queue = status_of(sandbox_)["queue"];
  EXPECT_TRUE(queue[0]["same_as"].is_null());
  EXPECT_EQ(queue[1]["same_as"], 1);
  EXPECT_THAT(onelane({"status"}).out, HasSubstr(", same as #1"));
  EXPECT_EQ(schema_faults(onelane({"status", "--json"}).out, "status"), "");
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(first.wait().err, Not(HasSubstr("took the result")));
  const std::string err = second.wait().err;
  const std::string id = journal()[1]["id"];
  EXPECT_THAT(err, HasSubstr("onelane: make trace ran out x: took the result of run " + id +
                             ": the same call on the same files, started after this one was "
                             "queued\n"));
  EXPECT_THAT(onelane({"runs", "list"}).out, HasSubstr("joined " + id));
  EXPECT_THAT(onelane({"runs", "view", journal()[2]["id"]}).out,
              HasSubstr("exit 0, joined run " + id));
  EXPECT_EQ(json::parse(onelane({"stats", "--json"}).out)["runs"], 2);
}

TEST_F(CoalesceViewsTest, OnlyWhoRunsSaysThatItStarted) {
  sandbox_.set_environment("ONELANE_QUIET", std::nullopt);
  const Words call{"make", "trace", "ran", "err", "the tool"};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running second = enter(call);
  ASSERT_TRUE(eventually([&] {
    const auto queue = status_of(sandbox_)["queue"];
    return queue.size() == 2 && queue[1]["waited_ms"] > 600;  // both have printed that they wait
  }));
  EXPECT_TRUE(holder.release().exited_with(0));
  const std::string ran = first.wait().err;
  EXPECT_THAT(ran, ContainsRegex("onelane: started after [^\n]* \\(1 ahead\\)\nthe tool\n"));
  const std::string taken = second.wait().err;
  EXPECT_THAT(taken, HasSubstr("took the result of run"));
  EXPECT_THAT(taken, Not(HasSubstr("onelane: started after")));
  EXPECT_EQ(runs(), 1U);
}

TEST_F(CoalesceViewsTest, ExplainSaysWhetherACallMayAndWhyNot) {
  const auto said = [&](const Words& call) {
    Words words{"explain", "--"};
    words.insert(words.end(), call.begin(), call.end());
    return onelane(words).out;
  };
  EXPECT_THAT(said({"make", "check"}), HasSubstr("coalesce: may take the result"));
  EXPECT_THAT(said({"pytest"}), HasSubstr("coalesce: no: COALESCE does not name it\n"));
  sandbox_.set_environment("ONELANE_COALESCE", "make:check,npm");
  EXPECT_THAT(said({"make", "-j", "4", "check"}), HasSubstr("coalesce: may"));
  EXPECT_THAT(said({"make", "check", "lint"}), HasSubstr("coalesce: no: COALESCE does not"));
  EXPECT_THAT(said({"npm", "run", "dev"}), HasSubstr("coalesce: no: only a call that waits"));
}

}  // namespace
}  // namespace onelane::test
