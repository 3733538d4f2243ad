#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "multicall/ci/condition.hpp"
#include "multicall/ci/job_texts.hpp"
#include "multicall/ci/make_rules.hpp"
#include "multicall/ci/workflows.hpp"
#include "multicall/term/annotation.hpp"

namespace onelane::multicall::ci {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Files = std::map<std::string, std::string>;

/// "JOB LINE" for each job of `file` that queues and never starts.
std::vector<std::string> unstarted(const std::string& file, const std::string& content,
                                   const Files& files = {}) {
  const FileReader read = [&files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional{found->second};
  };
  std::vector<std::string> out;
  for (const UnstartedQueue& queue : unstarted_queues(file, content, read)) {
    EXPECT_EQ(queue.file, file);
    out.push_back(queue.job + " " + std::to_string(queue.line));
  }
  return out;
}

/// A workflow with one job `test`, whose first step begins in line 5.
std::vector<std::string> steps(const std::string& text, const Files& files = {}) {
  return unstarted(".github/workflows/ci.yml", "on: push\njobs:\n  test:\n    steps:\n" + text,
                   files);
}

TEST(CiAnnotationTest, TextCannotEndTheCommandNorBeginAnother) {
  EXPECT_EQ(line_of({.title = "a,b: c", .text = "50%\r\n::warning::x", .file = "d:e", .line = 3}),
            "::error file=d%3Ae,line=3,title=a%2Cb%3A c::50%25%0D%0A::warning::x\n");
  EXPECT_EQ(line_of({.kind = "warning", .title = "a", .text = "b: c, d"}),
            "::warning title=a::b: c, d\n");
}

TEST(CiWorkflowsTest, AJobThatQueuesHasToStart) {
  EXPECT_THAT(steps("      - run: make\n      - run: onelane queue add -- make test\n"),
              ElementsAre("test 6"));
  EXPECT_THAT(steps("      - run: |\n          onelane queue add --deferred -- make\n"
                    "          onelane queue start --keep-going\n"),
              IsEmpty());
  EXPECT_THAT(steps("      - run: onelane queue add -- make\n"
                    "      - name: onelane queue start\n"),
              ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: echo 'onelane queue add'  # onelane queue add\n"), IsEmpty());
}

TEST(CiWorkflowsTest, TheStartOfAnotherJobDoesNotCount) {
  EXPECT_THAT(unstarted(".github/workflows/ci.yml",
                        "jobs:\n"
                        "  \"queue\":   # first\n    steps:\n    - run: onelane queue add -- make\n"
                        "  start:\n    needs: queue\n    steps:\n    - run: onelane queue start\n"
                        "env:\n  add: x\n"),
              ElementsAre("queue 4"));
}

TEST(CiWorkflowsTest, TheSeedsOwnQueueIsKnown) {
  EXPECT_THAT(steps("      - run: ./scripts/sep_queue.sh --timeout 7200 -- ./run_all.sh\n"),
              ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: |\n          ./scripts/sep_queue.sh -- ./run_all.sh\n"
                    "          ./scripts/sep_queue.sh --queue-start\n"),
              IsEmpty());
}

TEST(CiWorkflowsTest, WhatAJobCallsInTheProjectIsRead) {
  const Files files{{"all.sh", "onelane queue add -- make\n./more.sh\n"},
                    {"more.sh", "./all.sh\n"},
                    {"go.sh", "#!/bin/sh\nonelane queue start\n"},
                    {"ci/act/action.yml", "runs:\n  steps:\n  - run: onelane queue start\n"}};
  EXPECT_THAT(steps("      - run: bash -e all.sh\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: ./all.sh && ./go.sh\n", files), IsEmpty());
  EXPECT_THAT(steps("      - run: ./all.sh\n      - uses: ./ci/act\n", files), IsEmpty());
  EXPECT_THAT(steps("      - run: onelane run -- ./all.sh\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: bash -c 'onelane queue add -- make; ./go.sh'\n", files),
              IsEmpty());
  EXPECT_THAT(steps("      - run: |\n          trap 'onelane queue start' EXIT\n"
                    "          onelane queue add -- make\n"),
              IsEmpty());
}

TEST(CiWorkflowsTest, AStartCountsOnlyBehindTheLastAdd) {
  EXPECT_THAT(steps("      - run: onelane queue start\n"
                    "      - run: onelane queue add --deferred -- make\n"),
              ElementsAre("test 6"));
  EXPECT_THAT(steps("      - run: onelane queue add -- a\n      - run: onelane queue start\n"
                    "      - run: onelane queue add -- b && onelane queue add -- c\n"),
              ElementsAre("test 7"));
  const Files files{{"ci/act/action.yml", "runs:\n  steps:\n  - run: onelane queue start\n"}};
  EXPECT_THAT(steps("      - uses: ./ci/act\n      - run: onelane queue add -- a\n", files),
              ElementsAre("test 6"));
}

TEST(CiWorkflowsTest, AStartInTheBackgroundCollectsUntilItIsClosed) {
  const std::string add = "      - run: onelane queue add -- a\n";
  for (const char* start : {"onelane queue start --until-closed &",
                            "nohup onelane queue start --until-closed >log 2>&1 &",
                            "(onelane queue start --until-closed) &",
                            "onelane queue start --until-closed | tee log &"}) {
    EXPECT_THAT(steps("      - run: " + std::string{start} + "\n" + add), IsEmpty()) << start;
  }
  for (const char* start :
       {"onelane queue start --until-closed", "onelane queue start &",
        "onelane queue start --until-closed && true", "true & onelane queue start --until-closed",
        "onelane queue start --until-closed &>log"}) {
    EXPECT_THAT(steps("      - run: " + std::string{start} + "\n" + add), ElementsAre("test 6"))
        << start;
  }
}

TEST(CiWorkflowsTest, AStartThatAGreenRunSkipsDoesNotCount) {
  const auto with = [](const std::string& condition) {
    return steps("      - run: onelane queue add -- a\n      - run: onelane queue start\n" +
                 condition + "      - run: make\n");
  };
  EXPECT_THAT(with("        if: failure()\n"), ElementsAre("test 5"));
  EXPECT_THAT(with("        if: ${{ always() == false }}\n"), ElementsAre("test 5"));
  EXPECT_THAT(with("        if: >-\n          failure() ||\n          cancelled()\n"),
              ElementsAre("test 5"));
  EXPECT_THAT(with("        if: always()\n"), IsEmpty());
  EXPECT_THAT(with("        if: github.ref == 'refs/heads/main'\n"), IsEmpty());
  EXPECT_THAT(with("        env:\n          if: failure()\n"), IsEmpty());
  EXPECT_THAT(steps("      - if: failure()\n        run: onelane queue add -- a\n"), IsEmpty());
  const Files files{
      {"ci/act/action.yml", "runs:\n  steps:\n  - if: failure()\n    run: onelane queue start\n"}};
  EXPECT_THAT(steps("      - run: onelane queue add -- a\n      - uses: ./ci/act\n", files),
              ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: |\n          trap 'onelane queue start' ERR\n"
                    "          onelane queue add -- a\n"),
              ElementsAre("test 7"));
}

TEST(CiWorkflowsTest, TheTargetsThatAJobMakesAreRead) {
  const Files files{{"Makefile",
                     "A := x:y\n.PHONY: ci go\nall: go ; @true\n"
                     "ci: prepare \\\n  more\n\t@$(MAKE) late\n"
                     "prepare more::\n\t-onelane queue add --deferred -- make test\n"
                     "late: late\n\t@./add.sh\ngo:\n\tonelane queue start\n"},
                    {"add.sh", "onelane queue add -- jq\n"},
                    {"sub/Makefile", "queue:; ./add.sh\n"},
                    {"sub/add.sh", "onelane queue add -- jq\n"}};
  EXPECT_THAT(steps("      - run: make ci\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: make late\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: onelane run -- make -s J=1 ci\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: make -C sub\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: make ci go\n", files), IsEmpty());
  EXPECT_THAT(steps("      - run: make ci\n      - run: make\n", files), IsEmpty());
  EXPECT_THAT(steps("      - run: make go ci\n", files), ElementsAre("test 5"));
  EXPECT_THAT(steps("      - run: make other -f none.mk\n", files), IsEmpty());
}

TEST(CiConditionTest, OnlyWhatIsKnownToBeFalseSkips) {
  for (const char* text :
       {"failure()", "Failure( )", "!always()", "! success()", "false", "${{ false }}",
        "success() == false", "always() != true", "failure() && github.ref == 'a'",
        "(failure() || cancelled())", "job.status == 'failure'", "steps.a.outcome != 'success'",
        "${{failure()}}"}) {
    EXPECT_TRUE(skips_when_green(text)) << text;
  }
  for (const char* text :
       {"", "always()", "success()", "!failure()", "!cancelled() && success()", "github.ref == 'a'",
        "failure() || github.ref == 'a'", "contains(github.ref, 'failure()')", "((((", "!", "'",
        "failure() extra", "${{ failure() }} || ${{ always() }}", "job.status == 'success'"}) {
    EXPECT_FALSE(skips_when_green(text)) << text;
  }
  EXPECT_FALSE(skips_when_green(std::string(100'000, '(')));
}

TEST(CiMakeRulesTest, ARuleHasItsNeedsAndItsRecipe) {
  const auto rules = make_rules("A := b: c\n\t@lost\na b: c | d # e\n\t@one\n\n\ttwo\nc:\n");
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_THAT(rules[0].targets, ElementsAre("a", "b"));
  EXPECT_THAT(rules[0].needs, ElementsAre("c", "d"));
  ASSERT_EQ(rules[0].recipe.size(), 2U);
  EXPECT_EQ(rules[0].recipe[1].text, "two");
  EXPECT_EQ(rules[0].recipe[1].line, 6);
  EXPECT_THAT(rules[1].recipe, IsEmpty());
}

TEST(CiWorkflowsTest, JobsOfGitlab) {
  const std::string file = ".gitlab-ci.yml";
  EXPECT_THAT(unstarted(file,
                        "stages: [test]\n"
                        ".base:\n  script:\n  - onelane queue add -- make\n"
                        "red:\n  extends: .base\n"
                        "green:\n  extends:\n  - .base\n  after_script:\n  - onelane queue start\n"
                        "other:\n  script: make\n"),
              ElementsAre("red 4"));
  EXPECT_THAT(unstarted(file,
                        "after_script:\n- onelane queue start\n"
                        "a:\n  script: onelane queue add -- make\n"),
              IsEmpty());
  EXPECT_THAT(unstarted(file,
                        "a:\n  after_script: [onelane queue start]\n"
                        "  script: onelane queue add -- make\n"
                        "b:\n  script: onelane queue add -- make\n"
                        "  before_script: [onelane queue start]\n"),
              ElementsAre("b 5"));
}

TEST(CiWorkflowsTest, WhateverItIsGivenItEnds) {
  for (const char* content : {"", "jobs:", "jobs:\n  :\n", "\t- -\n- \n", "jobs:\n - - - a: b\n",
                              "jobs:\n  a:\n    steps:\n      - run: |", "a:\n  extends: a\n"}) {
    EXPECT_THAT(unstarted(".github/workflows/x.yml", content), IsEmpty()) << content;
    EXPECT_THAT(unstarted(".gitlab-ci.yml", content), IsEmpty()) << content;
  }
}

TEST(CiJobTextsTest, AJobEndsWhereTheNextBegins) {
  const auto jobs =
      jobs_of_workflow("name: x\njobs:\n\n  a:\n    steps: []\n  b:\n    x: y\non: z\n");
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].name, "a");
  EXPECT_EQ(jobs[0].first, 4);
  EXPECT_EQ(jobs[0].last, 5);
  EXPECT_EQ(jobs[1].last, 7);
}

}  // namespace
}  // namespace onelane::multicall::ci
