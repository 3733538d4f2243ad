#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Adds its arguments to `calls` (a line each, a line `.` after them) and ends as its last file
/// says: a code, or `kill`.
constexpr std::string_view kLinter = R"(#!/bin/sh
[ "$1" = --version ] && echo 9.1.0 && exit
for word; do printf '%s\n' "$word"; done >>"$CALLS"
echo . >>"$CALLS"
read -r code <"$word"
[ "$code" = kill ] && kill -TERM $$
exit "$code"
)";

/// An adopted project with tools that record how they are called.
class AtomsTest : public testing::Test {
 protected:
  AtomsTest() {
    shop_.must({"init"});
    ::unlink((shop_.sandbox().tools() + "/git").c_str());  // the real one lists files
    shop_.sandbox().set_environment("CALLS", calls_);
    for (const std::string name : {"xmllint", "prettier", "mypy"}) {
      shop_.write("bin/" + name, kLinter);
      ::chmod(shop_.path("bin/" + name).c_str(), 0755);
    }
  }

  Ended atoms(std::vector<std::string> options, const std::vector<std::string>& command) {
    options.insert(options.begin(), {"run", "--atoms"});
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return shop_.onelane(options);
  }

  /// The calls so far, each as its words joined by `|`.
  [[nodiscard]] std::vector<std::string> calls() const {
    std::vector<std::string> calls(1);
    for (const std::string& line :
         shop_.has("calls") ? lines_of(shop_.read("calls")) : std::vector<std::string>{}) {
      if (line == ".") {
        calls.emplace_back();
      } else {
        calls.back() += (calls.back().empty() ? "" : "|") + line;
      }
    }
    calls.pop_back();
    return calls;
  }

  Workplace shop_;
  std::string calls_ = shop_.path("calls");
};

TEST_F(AtomsTest, RunsPartAfterPartAndEndsWithTheWorstCode) {
  shop_.write("a.xml", "1\n");
  shop_.write("b.xml", "3\n");
  shop_.write("c.xml", "2\n");
  const Ended ended =
      atoms({"--atom-size", "1"}, {"bin/xmllint", "--noout", "b.xml", "a.xml", "c.xml"});
  EXPECT_TRUE(ended.exited_with(3)) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(calls(), ElementsAre("--noout|b.xml", "--noout|a.xml", "--noout|c.xml"));
  // One place in the queue, one run.
  EXPECT_THAT(shop_.read(".git/onelane/runs.jsonl"), HasSubstr("\"parts\":3"));
}

TEST_F(AtomsTest, ASignalIsWorseThanAnyCode) {
  shop_.write("a.xml", "kill\n");
  shop_.write("b.xml", "255\n");
  const Ended ended = atoms({"--atom-size", "1"}, {"bin/xmllint", "--noout", "a.xml", "b.xml"});
  EXPECT_TRUE(ended.died_of(SIGTERM)) << describe_status(ended.wait_status);
  EXPECT_THAT(calls(), ElementsAre("--noout|a.xml", "--noout|b.xml"));
}

TEST_F(AtomsTest, FilesShareACommandUpToTheSize) {
  std::vector<std::string> command{"bin/xmllint"};
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    shop_.write(name, "0\n");
    command.emplace_back(name);
  }
  EXPECT_TRUE(atoms({"--atom-size", "2"}, command).exited_with(0));
  EXPECT_THAT(calls(), ElementsAre("a|b", "c|d", "e"));
}

TEST_F(AtomsTest, GitDecidesWhatADirectoryHas) {
  for (const char* name : {"src/tracked", "src/a b", "src/.hidden/c", "src/-dash", "src/gone",
                           "src/picture.png", "-top"}) {
    shop_.write(name, "0\n");
  }
  shop_.write(".gitignore", "ignored\n/bin\n/calls\n");
  shop_.git({"add", "."});
  shop_.write("src/untracked", "0\n");
  shop_.write("src/ignored", "0\n");
  shop_.write("src/inner/there", "0\n");
  shop_.git({"-C", "src/inner", "init", "--quiet"});
  ASSERT_EQ(::unlink(shop_.path("src/gone").c_str()), 0);
  EXPECT_TRUE(atoms({"--atom-size", "1"}, {"bin/prettier", "--check", "src"}).exited_with(0));
  EXPECT_THAT(
      calls(),
      ElementsAre("--ignore-unknown|--check|src/-dash", "--ignore-unknown|--check|src/.hidden/c",
                  "--ignore-unknown|--check|src/a b", "--ignore-unknown|--check|src/inner/there",
                  "--ignore-unknown|--check|src/tracked",
                  "--ignore-unknown|--check|src/untracked"));
}

TEST_F(AtomsTest, NamesThatLookLikeOptionsAreProtected) {
  for (const char* name : {"-w", "!x", "@y"}) {
    shop_.write(std::string{"src/"} + name, "0\n");
  }
  const std::string src = shop_.path("src");
  const Ended ended =
      shop_.onelane({"run", "--atoms", "--", shop_.path("bin/prettier"), "-c", "."}, src);
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(calls(), ElementsAre("--ignore-unknown|-c|./!x|./-w|./@y"));
}

TEST_F(AtomsTest, WithoutFilesTheCommandRunsAsItIs) {
  shop_.write(".gitignore", "*\n");
  shop_.write("src/ignored", "0\n");
  const Ended ended = atoms({}, {"bin/prettier", "--check", "src"});
  EXPECT_THAT(ended.err, HasSubstr("no file to split by"));
  EXPECT_THAT(calls(), ElementsAre("--check|src"));
}

TEST_F(AtomsTest, RefusedIsNotRunAtAll) {
  shop_.write("a.xml", "0\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"bin/mypy", "a.xml"},
                                             {"bin/xmllint", "--output", "x", "a.xml"},
                                             {"bin/xmllint", "--unheard-of", "a.xml"},
                                             {"bin/xmllint", "missing.xml"}}) {
    const Ended ended = atoms({}, command);
    EXPECT_TRUE(ended.exited_with(64)) << command[1];
    EXPECT_THAT(ended.err, HasSubstr("onelane: not split into atoms: "));
  }
  EXPECT_TRUE(atoms({"--force"}, {"bin/mypy", "a.xml"}).exited_with(64));
  EXPECT_THAT(calls(), IsEmpty());
  EXPECT_TRUE(atoms({"--force"}, {"bin/xmllint", "--output", "x", "a.xml"}).exited_with(0));
  EXPECT_THAT(calls(), ElementsAre("--output|x|a.xml"));
}

TEST_F(AtomsTest, ExplainPrintsThePlanAndRunsNothing) {
  shop_.write("a b.xml", "0\n");
  shop_.write("c.xml", "0\n");
  const std::vector<std::string> command{"bin/xmllint", "a b.xml", "c.xml"};
  const Ended text = atoms({"--explain", "--atom-size", "1"}, command);
  EXPECT_TRUE(text.exited_with(0));
  EXPECT_THAT(text.out, HasSubstr("files     2, as named\ncommands  2, of 1 file at most\n"
                                  "  bin/xmllint 'a b.xml'\n  bin/xmllint c.xml\n"));
  const Ended json = atoms({"--explain", "--json"}, command);
  const auto plan = nlohmann::json::parse(json.out);
  EXPECT_EQ(plan["schema"], 1);
  EXPECT_EQ(plan["split"], true);
  EXPECT_EQ(plan["files"], 2);
  EXPECT_EQ(plan["commands"], nlohmann::json::array({command}));
  const Ended refused = atoms({"--explain", "--json"}, {"bin/mypy", "c.xml"});
  EXPECT_TRUE(refused.exited_with(64));
  EXPECT_EQ(nlohmann::json::parse(refused.out)["split"], false);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(AtomsTest, ManyLongNamesDoNotMakeACommandTooLong) {
  std::vector<std::string> command{"bin/xmllint"};
  for (int i = 0; i < 700; ++i) {
    command.push_back(std::to_string(i) + std::string(200, 'x'));
    shop_.write(command.back(), "0\n");
  }
  const Ended ended = atoms({"--explain", "--json", "--atom-size", "100000"}, command);
  const auto commands = nlohmann::json::parse(ended.out)["commands"];
  EXPECT_GT(commands.size(), 1U);
  for (const auto& part : commands) {
    EXPECT_LT(part.dump().size(), 128U << 10U);
  }
}

TEST_F(AtomsTest, TenThousandFilesAreSplitIntoAsManyCommands) {
  constexpr std::size_t kFiles = 10'000;
  std::vector<std::string> command{"bin/xmllint", "--noout"};
  for (std::size_t i = 0; i < kFiles; ++i) {
    command.push_back(std::to_string(i));
    shop_.write(command.back(), "0\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  const Ended ended = atoms({"--explain", "--json", "--atom-size", "1"}, command);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
  const auto commands = nlohmann::json::parse(ended.out)["commands"];
  ASSERT_EQ(commands.size(), kFiles);
  EXPECT_EQ(commands.back(), nlohmann::json::array({"bin/xmllint", "--noout", "9999"}));
}

TEST(AtomsWithoutProjectTest, AreRunAllTheSame) {
  Workplace plain{Workplace::Kind::Plain};
  plain.sandbox().set_environment("CALLS", plain.path("calls"));
  plain.write("xmllint", kLinter);
  ::chmod(plain.path("xmllint").c_str(), 0755);
  plain.write("a", "0\n");
  plain.write("b", "4\n");
  const Ended ended =
      plain.onelane({"run", "--atoms", "--atom-size=1", "--", "./xmllint", "b", "a"});
  EXPECT_TRUE(ended.exited_with(4)) << ended.err;
  EXPECT_EQ(plain.read("calls"), "b\n.\na\n.\n");
}

}  // namespace
}  // namespace onelane::test
