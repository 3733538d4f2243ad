#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

/// An adopted project, its settings still the built-in ones.
class SettingsTest : public testing::Test {
 protected:
  SettingsTest() { shop_.must({"init", "--ci"}); }

  void set_block(const std::string& lines) {
    shop_.write(".env.development", "# onelane\n" + lines + "# /onelane\n");
  }
  /// Whether `make` waits while another run holds the lane.
  bool make_waits() {
    Gate gate{shop_.sandbox()};
    Running holder = shop_.start({"pytest", "trace", "held", "hold-until", gate.path()});
    shop_.sandbox().wait_for("held", ++rounds_);
    Running make = shop_.start({"make", "all", "trace", "made"});
    bool waits = false;
    EXPECT_TRUE(eventually([&] {
      waits = shop_.onelane({"status"}).out.find("1.       make all") != std::string::npos;
      return waits || !make.is_running();
    }));
    gate.open();
    (void)make.wait();
    EXPECT_TRUE(holder.wait().exited_with(0));
    return waits;
  }

  Workplace shop_;
  std::size_t rounds_ = 0;
};

TEST_F(SettingsTest, ATimeLimitInTheBlockEndsMake) {
  set_block("TIMEOUT=1\n");
  const Ended ended = shop_.run({"make", "wait-signal", "USR1"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, AllOf(StartsWith("onelane: "), HasSubstr("(TIMEOUT)")));
}

TEST_F(SettingsTest, ATimeLimitNeverEndsGit) {
  set_block("TIMEOUT=1\n");
  const Ended ended = shop_.run({"git", "sleep", "1500", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status);
  EXPECT_EQ(ended.err, "");
}

TEST_F(SettingsTest, ABareNameInTheEnvironmentCountsForRunAlone) {
  shop_.sandbox().set_environment("TIMEOUT", "1");
  EXPECT_TRUE(shop_.run({"make", "sleep", "1500", "exit", "3"}).exited_with(3));
  const Ended ended =
      shop_.onelane({"run", "--", shop_.sandbox().tools() + "/make", "wait-signal", "USR1"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status);
}

TEST_F(SettingsTest, ABareNameOutsideTheBlockBelongsToAnotherProgram) {
  shop_.write(".env.development", "TIMEOUT=1\nVERBOSE=1\n");
  EXPECT_THAT(shop_.must({"settings"}).out,
              AllOf(HasSubstr("\ntimeout=0 "), HasSubstr("\nverbose=false ")));
}

TEST_F(SettingsTest, AShimSaysABadValueOnceAndUsesTheDefault) {
  set_block("TIMEOUT=soon\n");
  const Ended ended = shop_.run({"make", "call", "npm", "exit", "0", "end", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3));
  ASSERT_THAT(lines_of(ended.err), SizeIs(1)) << ended.err;
  EXPECT_THAT(ended.err, AllOf(StartsWith("onelane: "), HasSubstr(".env.development:2"),
                               HasSubstr("TIMEOUT"), HasSubstr("accepted: ")));
  EXPECT_EQ(shop_.run({"git", "status"}).err, "fake_tool: no verb status\n");
}

TEST_F(SettingsTest, AnAdminCommandFailsOnABadValue) {
  set_block("ONELANE_MAX_PROCESSES=77\nTIMEOUT=soon\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"settings"}, {"run", "--", "touch", "made"}}) {
    const Ended ended = shop_.onelane(words);
    EXPECT_TRUE(ended.exited_with(78)) << words[0] << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, AllOf(HasSubstr(shop_.path(".env.development:3")), HasSubstr("TIMEOUT"),
                                 HasSubstr("accepted: ")));
  }
  EXPECT_FALSE(shop_.has("made"));
  set_block("");
  shop_.write("onelane.toml", "queue_timeot = \"5m\"\n");
  const Ended ended = shop_.onelane({"settings"});
  EXPECT_TRUE(ended.exited_with(78));
  EXPECT_THAT(ended.err, AllOf(HasSubstr("onelane.toml:1"), HasSubstr("queue_timeot"),
                               HasSubstr("'queue_timeout'")));
}

TEST_F(SettingsTest, ABadValueInTheEnvironmentIsNamed) {
  shop_.sandbox().set_environment("ONELANE_PRIORITY", "high");
  const Ended ended = shop_.onelane({"settings"});
  EXPECT_TRUE(ended.exited_with(78));
  EXPECT_THAT(ended.err, AllOf(HasSubstr("ONELANE_PRIORITY"), HasSubstr("accepted: ")));
  EXPECT_TRUE(shop_.run({"make", "exit", "3"}).exited_with(3));
}

TEST_F(SettingsTest, SequentialModeZeroSwitchesTheProjectOffWithoutTrust) {
  EXPECT_TRUE(make_waits());
  set_block("PROJECT_SEQUENTIAL_MODE=0\n");
  EXPECT_THAT(shop_.must({"explain", "--", "make", "all"}).out,
              HasSubstr("PROJECT_SEQUENTIAL_MODE=0"));
  const Ended ended = shop_.run({"make", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3));
  EXPECT_EQ(ended.err, "");
  EXPECT_FALSE(shop_.must({"status", "--json"}).out.empty());
}

TEST_F(SettingsTest, AProjectThatIsOffMakesNoCallWait) {
  Gate gate{shop_.sandbox()};
  Running holder = shop_.start({"pytest", "trace", "held", "hold-until", gate.path()});
  shop_.sandbox().wait_for("held");
  set_block("PROJECT_SEQUENTIAL_MODE=0\n");
  EXPECT_TRUE(shop_.run({"make", "exit", "3"}).exited_with(3));
  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
}

TEST_F(SettingsTest, ListsThatLoosenABuiltInToolCountOnceTrusted) {
  const std::string loose = "[tools.make]\npass = [\"*\"]\n";
  shop_.write("onelane.toml", loose);
  const Ended untrusted = shop_.run({"make", "exit", "3"});
  EXPECT_TRUE(untrusted.exited_with(3));
  ASSERT_THAT(lines_of(untrusted.err), SizeIs(1));
  EXPECT_THAT(untrusted.err, AllOf(HasSubstr("onelane.toml:2"), HasSubstr("onelane trust")));
  EXPECT_TRUE(make_waits());

  shop_.must({"trust"});
  EXPECT_EQ(shop_.run({"make", "exit", "3"}).err, "");
  EXPECT_THAT(shop_.must({"explain", "--", "make", "all"}).out, HasSubstr("class:    pass"));

  shop_.write("onelane.toml", loose + "# changed\n");
  EXPECT_TRUE(make_waits());
}

TEST_F(SettingsTest, NoBuiltInToolIsLoosenedWithoutTrust) {
  for (const std::string tool : {"git", "make", "npm", "pytest", "vitest", "ruff"}) {
    shop_.write("onelane.toml", "[tools." + tool + "]\npass = [\"*\"]\n");
    const Ended ended = shop_.onelane({"settings"});
    EXPECT_EQ(ended.err.find("what loosens " + tool) == std::string::npos, tool == "ruff")
        << ended.err;
  }
}

TEST_F(SettingsTest, AToolOfTheRepositorysOwnRunsOnlyOnceTrusted) {
  shop_.write("evil", "#!/bin/sh\necho evil\n");
  ASSERT_TRUE(shop_.run({"/bin/chmod", "+x", "evil"}).exited_with(0));
  shop_.write("onelane.toml", "[tools.make]\nreal = \"evil\"\n");
  const Ended untrusted = shop_.run({"make", "out", "good"});
  EXPECT_EQ(untrusted.out, "good\n");
  EXPECT_THAT(untrusted.err, AllOf(HasSubstr("onelane.toml:2"), HasSubstr("onelane trust")));
  shop_.must({"trust"});
  EXPECT_EQ(shop_.run({"make", "out", "good"}).out, "evil\n");
}

TEST_F(SettingsTest, OutsideOfAProjectNothingIsTrusted) {
  for (const auto kind : {Workplace::Kind::Plain, Workplace::Kind::Repository}) {
    Workplace elsewhere{kind};
    const Ended ended = elsewhere.onelane({"trust"});
    EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status);
    EXPECT_EQ(ended.err, "onelane: no project here has adopted onelane (`onelane init`)\n");
  }
}

TEST_F(SettingsTest, TrustWithoutAFileToTrustFails) {
  const Ended ended = shop_.onelane({"trust"});
  EXPECT_FALSE(ended.exited_with(0));
  EXPECT_THAT(lines_of(ended.err), SizeIs(1)) << ended.err;
}

}  // namespace
}  // namespace onelane::test
