#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "multicall/ci/annotation.hpp"
#include "multicall/ci/job_texts.hpp"
#include "multicall/ci/workflows.hpp"

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
