#include <gmock/gmock.h>

#include "tests/unit/shims/clamp_scene.hpp"

namespace onelane::test {
namespace {

using shims::Clamp;
using shims::Clamped;
using testing::IsEmpty;

TEST(ClampEnvironmentTest, NothingHappensWithoutABound) {
  for (const Scene& scene :
       {Scene{.mode = Clamp::Hard, .workers = 0}, Scene{.mode = Clamp::Off}, Scene{.workers = 0}}) {
    const Clamped clamped = scene.call("make", "-j16");
    EXPECT_THAT(clamped.environment, IsEmpty());
    EXPECT_FALSE(clamped.args);
    EXPECT_EQ(clamped.affinity, 0U);
  }
}

TEST(ClampEnvironmentTest, SoftBoundsAutomaticCountsForWhateverRunsBelow) {
  using Table = std::map<std::string, std::string>;
  const Table expected{{"CARGO_BUILD_JOBS", "4"},
                       {"CMAKE_BUILD_PARALLEL_LEVEL", "4"},
                       {"GOMAXPROCS", "4"},
                       {"PYTEST_XDIST_AUTO_NUM_WORKERS", "4"},
                       {"RAYON_NUM_THREADS", "4"}};
  for (const std::string tool : {"git", "make", "npm", "pytest", "cargo"}) {
    EXPECT_EQ(Scene{}.variables(tool, "commit"), expected) << tool;
  }
  EXPECT_EQ(Scene{.workers = 1}.variables("git", "commit")["PRE_COMMIT_NO_CONCURRENCY"], "1");
}

TEST(ClampEnvironmentTest, SoftNeverRaisesAnAutomaticCount) {
  const Scene large{.workers = 32};
  EXPECT_EQ(large.variables("make", "")["PYTEST_XDIST_AUTO_NUM_WORKERS"], "8");
  EXPECT_EQ(large.variables("make", "")["CMAKE_BUILD_PARALLEL_LEVEL"], "10");
  EXPECT_FALSE(large.variables("make", "").contains("GOMAXPROCS"));
  EXPECT_EQ(large.vitest("vitest", "run"), "7");
  EXPECT_EQ((Scene{.workers = 32, .watches = true}.vitest("vitest", "")), "4");
  EXPECT_EQ((Scene{.workers = 32, .processors = 1}.vitest("vitest", "run")), "1");
}

TEST(ClampEnvironmentTest, WhatTheUserHasSetStaysWithSoft) {
  for (const std::string value : {"16", "1", "", "0", "default", "-1"}) {
    Scene scene;
    for (const char* name : {"CARGO_BUILD_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL", "GOMAXPROCS",
                             "PYTEST_XDIST_AUTO_NUM_WORKERS", "RAYON_NUM_THREADS",
                             "PRE_COMMIT_NO_CONCURRENCY", "VITEST_MIN_FORKS"}) {
      scene.facts.variables[name] = value;
    }
    scene.workers = 1;
    EXPECT_THAT(scene.variables("vitest", "run"), IsEmpty()) << value;
  }
  Scene python;
  python.facts.variables["PYTHON_CPU_COUNT"] = "2";
  EXPECT_FALSE(python.variables("pytest", "").contains("PYTEST_XDIST_AUTO_NUM_WORKERS"));
}

TEST(ClampEnvironmentTest, HardLowersLargerNumbersInTheEnvironment) {
  Scene scene{.mode = Clamp::Hard};
  scene.facts.variables = {{"CARGO_BUILD_JOBS", "16"},         {"GOMAXPROCS", "2"},
                           {"RAYON_NUM_THREADS", "many"},      {"VITEST_MAX_FORKS", "8"},
                           {"VITEST_MIN_FORKS", "8"},          {"MAKEFLAGS", "-k -j16 -- A=b"},
                           {"PYTEST_ADDOPTS", "-k 'a b' -n 8"}};
  auto variables = scene.variables("npm", "test");
  EXPECT_EQ(variables["CARGO_BUILD_JOBS"], "4");
  EXPECT_EQ(variables["VITEST_MAX_FORKS"], "4");
  EXPECT_EQ(variables["VITEST_MIN_FORKS"], "4");
  EXPECT_EQ(variables["MAKEFLAGS"], "-k -j4 -- A=b");
  EXPECT_EQ(variables["PYTEST_ADDOPTS"], "-k 'a b' -n 8 --maxprocesses=4");
  EXPECT_FALSE(variables.contains("GOMAXPROCS"));
  EXPECT_FALSE(variables.contains("RAYON_NUM_THREADS"));
  EXPECT_EQ(scene.call("npm", "test").changes.size(), 5U);
}

TEST(ClampEnvironmentTest, PytestHasABoundOfItsOwn) {
  const Scene own{.mode = Clamp::Hard, .workers = 4, .pytest_workers = 2};
  EXPECT_EQ(lowered("pytest", "-n 3", own), "-n 2");
  EXPECT_EQ(lowered("make", "-j16", own), "-j4");
  EXPECT_EQ(own.variables("make", "")["PYTEST_XDIST_AUTO_NUM_WORKERS"], "2");
  EXPECT_EQ(own.call("pytest", "").affinity, 2U);
  const Scene alone{.mode = Clamp::Hard, .workers = 0, .pytest_workers = 2};
  EXPECT_EQ(alone.variables("make", "-j").size(), 1U);
  EXPECT_EQ(lowered("make", "-j", alone), "-j");
  EXPECT_EQ(alone.call("make", "").affinity, 0U);
}

TEST(ClampEnvironmentTest, CMakeIsLeftAloneWhereMakeSharesItsJobs) {
  constexpr auto kName = "CMAKE_BUILD_PARALLEL_LEVEL";
  for (const std::string line : {"-j2", "-kj", "--jobs", "all -j 2"}) {
    EXPECT_FALSE(Scene{}.variables("make", line).contains(kName)) << line;
  }
  EXPECT_TRUE(Scene{}.variables("git", "commit -j2").contains(kName));
  for (const std::string flags : {"-j2", "kj", "-k -j", " --jobserver-fds=3,4 -j"}) {
    Scene scene;
    scene.facts.variables["MAKEFLAGS"] = flags;
    EXPECT_FALSE(scene.variables("npm", "test").contains(kName)) << flags;
  }
  Scene scene;
  scene.facts.variables["CMAKE_GENERATOR"] = "Unix Makefiles";
  EXPECT_FALSE(scene.variables("npm", "test").contains(kName));
}

TEST(ClampEnvironmentTest, VitestIsBoundOnlyWhereItNamesNoCount) {
  for (const std::string line : {"", "run", "run a.test.ts", "run --reporter dot", "related a.ts",
                                 "run --maxConcurrency=5", "run -- --maxWorkers=2"}) {
    EXPECT_EQ(Scene{}.vitest("vitest", line), "4") << line;
  }
  for (const std::string line :
       {"run --maxWorkers=2", "run --maxWorkers 16", "run --max-workers=50%", "--minWorkers=2",
        "run --no-file-parallelism", "run --fileParallelism=false", "bench", "bench --run",
        "--poolOptions.forks.maxForks=2", "--pool-options.threads.max-threads 2",
        "--poolOptions.forks.singleFork", "--poolOptions.threads.singleThread=true"}) {
    EXPECT_EQ(Scene{}.vitest("vitest", line), "") << line;
    EXPECT_EQ(Scene{.mode = Clamp::Hard}.vitest("vitest", line), "") << line;
  }
}

TEST(ClampEnvironmentTest, VitestsConfigFileIsAChoiceToo) {
  struct Config {
    std::string text, soft, hard;
  };
  for (const Config& config : std::vector<Config>{
           {"export default {}", "4", "4"},
           {"test: { maxWorkers: 2 }", "", ""},
           {"test: { maxWorkers: 16 }", "", "4"},
           {"test: { 'maxWorkers' : \"75%\" }", "", "4"},
           {"test: { maxWorkers: os.cpus().length }", "", "4"},
           {"poolOptions: { forks: { maxForks: 2 }, threads: { maxThreads: 9 } }", "", "4"},
           {"poolOptions: { forks: { singleFork: true } }", "", ""},
           {"test: { fileParallelism: false }", "", ""},
           {"", "", "4"}}) {
    Scene scene;
    scene.files["vitest.config.mts"] = config.text;
    scene.files["vite.config.ts"] = "maxWorkers: 3";
    EXPECT_EQ(scene.vitest("vitest", "run"), config.soft) << config.text;
    scene.mode = Clamp::Hard;
    EXPECT_EQ(scene.vitest("vitest", "run"), config.hard) << config.text;
  }
}

TEST(ClampEnvironmentTest, VitestsConfigFileIsTheOneThatVitestReads) {
  Scene above;
  above.files["../../vite.config.js"] = "maxWorkers: 2";
  EXPECT_EQ(above.vitest("vitest", "run"), "");
  above.files["vitest.config.ts"] = "export default {}";
  EXPECT_EQ(above.vitest("vitest", "run"), "4");
  above.files["ci.ts"] = "maxWorkers: 2";
  for (const std::string line : {"--config ci.ts", "--config=ci.ts", "-c ci.ts"}) {
    EXPECT_EQ(above.vitest("vitest", "run " + line), "") << line;
  }
}

TEST(ClampEnvironmentTest, HardKeepsVitestsSmallestCountBelowTheLargest) {
  Scene scene{.mode = Clamp::Hard};
  scene.files["vitest.config.ts"] = "maxWorkers: 16, minWorkers: 8";
  EXPECT_EQ(scene.variables("vitest", "run")["VITEST_MIN_FORKS"], "1");
  scene.files["vitest.config.ts"] = "maxWorkers: 16";
  EXPECT_FALSE(scene.variables("vitest", "run").contains("VITEST_MIN_FORKS"));
}

TEST(ClampEnvironmentTest, AnNpmScriptIsBoundWhenItIsOneVitestCommand) {
  for (const std::string text : {"vitest run", "vitest", "npx vitest run", "A=b vitest run",
                                 "cross-env A=b vitest", "node_modules/.bin/vitest run"}) {
    Scene scene;
    scene.facts.scripts["test"] = text;
    EXPECT_EQ(scene.vitest("npm", "test"), "4") << text;
    EXPECT_EQ(scene.vitest("npm", "test -- --maxWorkers=2"), "") << text;
  }
  for (const std::string text :
       {"vitest run --maxWorkers=2", "vitest bench", "turbo run test", "vitest run && npm run e2e",
        "make test", "vitest run $FLAGS", "node run.js vitest", "", "lint; vitest"}) {
    Scene scene;
    scene.facts.scripts["test"] = text;
    EXPECT_EQ(scene.vitest("npm", "test"), "") << text;
  }
  Scene scene;
  scene.facts.scripts = {{"test", "vitest run"}, {"pretest", "vitest run --maxWorkers=2"}};
  EXPECT_EQ(scene.vitest("npm", "test"), "");
}

TEST(ClampEnvironmentTest, HardBoundsAVitestThatCannotBeSeen) {
  Scene scene{.mode = Clamp::Hard};
  EXPECT_EQ(scene.vitest("make", "test"), "4");
  scene.facts.scripts["test"] = "vitest run --maxWorkers=16";
  EXPECT_EQ(scene.vitest("npm", "test"), "4");
  scene.facts.scripts["test"] = "vitest run --maxWorkers=2";
  EXPECT_EQ(scene.vitest("npm", "test"), "");
}

}  // namespace
}  // namespace onelane::test
