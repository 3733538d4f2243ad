#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/queue_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Traces its words and ends as the last file says.
constexpr std::string_view kLinter = R"(#!/bin/sh
make trace "$*"
read -r code <"$2"
exit "$code"
)";

class QueueAtomsTest : public QueueTest {
 protected:
  QueueAtomsTest() {
    shop_.write("bin/xmllint", kLinter);
    ::chmod(shop_.path("bin/xmllint").c_str(), 0755);
    shop_.write("a.xml", "3\n");
  }

  /// The newest run that is no queue start.
  [[nodiscard]] json newest_run() {
    const json runs = json_of({"runs", "list", "--json"}).at("runs");
    return runs.at(runs.at(0).at("class") == "queue-start" ? 1 : 0);
  }
};

TEST_F(QueueAtomsTest, IsSplitWhenTheEntryStartsOverTheFilesOfThen) {
  const Ended added = queue("add", {"--atoms", "--atom-size", "1", "--label", "lint", "--",
                                    "bin/xmllint", "--noout", "a.xml", "later.xml"});
  EXPECT_TRUE(added.exited_with(0)) << added.err;
  EXPECT_THAT(added.err, HasSubstr("it would not be split: `later.xml`"));
  const json entry = status().at("entries").at(0);
  EXPECT_EQ(entry.at("atoms"), json({{"which", "tools"}, {"size", 1}, {"force", false}}));
  EXPECT_EQ(entry.at("options"), json::array());
  EXPECT_THAT(must_queue("status"), HasSubstr("--atoms=tools --atom-size 1"));
  shop_.write("later.xml", "1\n");
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(3)) << ended.err;  // all parts run, the worst code is its end
  EXPECT_THAT(texts(), ElementsAre("--noout a.xml", "--noout later.xml"));
  const json run = newest_run();
  EXPECT_EQ(run.at("parts"), 2);
  EXPECT_EQ(run.at("label"), "lint");
  EXPECT_EQ(status().at("entries").at(0).at("run"), run.at("id"));
}

TEST_F(QueueAtomsTest, WhatCannotBeSplitAtItsStartHasFailed) {
  must_queue("add", {"--atoms", "--", "bin/xmllint", "--noout", "a.xml"});
  add({"make", "trace", "next"});
  ASSERT_EQ(::unlink(shop_.path("a.xml").c_str()), 0);
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(64)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("onelane: not split into atoms: `a.xml` is neither a file"));
  EXPECT_THAT(states(), ElementsAre("1 failed", "2 queued"));
  EXPECT_THAT(texts(), IsEmpty());
}

TEST_F(QueueAtomsTest, ARealToolIsSplit) {
  const std::string tool = "/usr/bin/shellcheck";
  if (::access(tool.c_str(), X_OK) != 0) {
    GTEST_SKIP() << "no shellcheck here";
  }
  shop_.write("good.sh", "#!/bin/sh\necho fine\n");
  shop_.write("bad.sh", "#!/bin/sh\necho $1\n");
  must_queue("add",
             {"--atoms", "--atom-size=1", "--", tool, "-x", "-f", "gcc", "bad.sh", "good.sh"});
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(1)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("bad.sh:2:6: note: Double quote"));
  EXPECT_EQ(newest_run().at("parts"), 2);
}

TEST_F(QueueAtomsTest, ExplainPrintsThePlanAndAddsNothing) {
  const Words command{"--", "bin/xmllint", "--noout", "a.xml"};
  const auto explain = [&](Words options) {
    options.insert(options.end(), command.begin(), command.end());
    return queue("add", options);
  };
  const Ended text = explain({"--atoms", "--explain"});
  EXPECT_TRUE(text.exited_with(0)) << text.err;
  EXPECT_THAT(text.out,
              HasSubstr("commands  1, of 50 files at most\n  bin/xmllint --noout a.xml\n"));
  const Ended plan = explain({"--atoms", "--explain", "--json"});
  EXPECT_EQ(json::parse(plan.out).at("commands"),
            json::array({{"bin/xmllint", "--noout", "a.xml"}}));
  EXPECT_TRUE(explain({"--explain"}).exited_with(64));
  EXPECT_TRUE(queue("add", {"--atoms", "--explain", "--", "no-such-tool"}).exited_with(127));
  EXPECT_THAT(states(), IsEmpty());
}

TEST_F(QueueAtomsTest, WhatIsNeverSplitIsRefusedAtOnce) {
  shop_.write("test_a.py", "");
  for (const Words& words :
       {Words{"--", "mypy", "test_a.py"}, Words{"--", "pytest", "test_a.py"},
        Words{"--", "bin/xmllint", "--output", "x", "a.xml"}, Words{"--", "make", "all"}}) {
    Words all{"--atoms"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended refused = queue("add", all);
    EXPECT_TRUE(refused.exited_with(64)) << words[1];
    EXPECT_THAT(refused.err, HasSubstr("onelane: not split into atoms: ")) << words[1];
    EXPECT_EQ(lines_of(refused.err).size(), 1U);
  }
  EXPECT_TRUE(queue("add", {"--atoms=pytest-file", "--", "pytest", "-k", "x", "test_a.py"})
                  .exited_with(64));
  EXPECT_TRUE(queue("add", {"--atom-size", "2", "--", "jq", ".", "a"}).exited_with(64));
  EXPECT_TRUE(queue("add", {"--atoms=all", "--", "jq", ".", "a"}).exited_with(64));
  EXPECT_THAT(states(), IsEmpty());
}

TEST_F(QueueAtomsTest, AnEditIsHeldToTheSame) {
  must_queue("add", {"--atoms", "--atom-size", "1", "--", "bin/xmllint", "--noout", "a.xml"});
  EXPECT_TRUE(queue("edit", {"1", "--", "make", "all"}).exited_with(64));
  EXPECT_EQ(status().at("entries").at(0).at("argv").at(0), "bin/xmllint");
  must_queue("edit", {"1", "--atoms", "--force", "--", "bin/xmllint", "--output", "x", "a.xml"});
  const json entry = status().at("entries").at(0);
  EXPECT_EQ(entry.at("atoms"), json({{"which", "tools"}, {"size", nullptr}, {"force", true}}));
  EXPECT_EQ(entry.at("argv").at(1), "--output");
}

}  // namespace
}  // namespace onelane::test
