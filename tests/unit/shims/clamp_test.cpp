#include "shims/clamp.hpp"

#include <gmock/gmock.h>

#include "tests/unit/shims/clamp_scene.hpp"

namespace onelane::test {
namespace {

using shims::Clamp;
using shims::Clamped;
using testing::ElementsAre;
using testing::IsEmpty;

struct Row {
  std::string before;
  std::string after;
};

void expect_lowered(std::string_view tool, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(lowered(tool, row.before, {.mode = Clamp::Hard}), row.after);
    EXPECT_EQ(lowered(tool, row.before, {.mode = Clamp::Soft}), row.before) << "soft";
    EXPECT_EQ(lowered(tool, row.before, {.mode = Clamp::Off}), row.before) << "off";
  }
}

TEST(ClampTest, HardLowersTheLastJobsOfMake) {
  expect_lowered("make", {{"-j16", "-j4"},
                          {"-j 16 all", "-j 4 all"},
                          {"all -j16", "all -j4"},
                          {"-kj8 all", "-kj4 all"},
                          {"-kj 8", "-kj 4"},
                          {"--jobs=8", "--jobs=4"},
                          {"--jobs 8 all", "--jobs 4 all"},
                          {"--jo=8", "--jo=4"},
                          {"-j", "-j4"},
                          {"-j all", "-j4 all"},
                          {"-kj", "-kj4"},
                          {"--jobs", "--jobs=4"},
                          {"--jobs all", "--jobs=4 all"},
                          {"-j2 -j16", "-j2 -j4"},
                          {"-j16 -j", "-j16 -j4"},
                          {"-j99999999999999999999999", "-j4"},
                          {"-j 99999999999999", "-j 4"},
                          {"-C -j -j16", "-C -j -j4"}});
}

TEST(ClampTest, HardLeavesMakeWhatIsWithinOrNotAJobCount) {
  for (const std::string line :
       {"",        "all",         "-j4",     "-j1",     "-j 4",  "-j16 -j2", "--jobs=3",
        "-- -j16", "-- -j",       "-f -j16", "-C -j16", "-j=16", "--jobs=",  "-j0",
        "-j -1",   "-j16x",       "J=-j16",  "-l16",    "-Oj16", "-k",       "--no-print-directory",
        "-jj",     "--eval -j16", "''",      "-"}) {
    const std::string expected = line == "-j -1" ? "-j4 -1" : line;
    EXPECT_EQ(lowered("make", line, {.mode = Clamp::Hard}), expected) << "make " << line;
  }
}

TEST(ClampTest, AJobserverAboveIsLeftToItself) {
  Scene scene{.mode = Clamp::Hard};
  scene.facts.variables["MAKEFLAGS"] = " -j8 --jobserver-auth=3,4";
  EXPECT_EQ(lowered("make", "-j16", scene), "-j16");
  EXPECT_FALSE(scene.variables("make", "").contains("MAKEFLAGS"));
  EXPECT_FALSE(scene.variables("make", "").contains("CMAKE_BUILD_PARALLEL_LEVEL"));
}

TEST(ClampTest, HardLowersWorkersOfXdist) {
  expect_lowered("pytest", {{"-n 8", "-n 4"},
                            {"-n8 tests", "-n4 tests"},
                            {"-vn8", "-vn4"},
                            {"-n=8", "-n=4"},
                            {"--numprocesses=8", "--numprocesses=4"},
                            {"--numprocesses 8", "--numprocesses 4"},
                            {"-n 2 -n 16", "-n 2 -n 4"},
                            {"-n auto --maxprocesses=16", "-n auto --maxprocesses=4"},
                            {"-n 8 --maxprocesses 16", "-n 4 --maxprocesses 4"},
                            {"-n 99999999999999999999", "-n 4"}});
  for (const std::string line :
       {"", "-n 4", "-n0", "-n auto", "-n logical", "-n", "-n=", "-n -1", "-n 16 -n 2", "-k -n8",
        "-n 16 --maxprocesses=3", "-- -n8", "-m n -p n8", "--numprocess=8", "--num=8", "-n 8x",
        "--maxprocesses=", "--maxprocesses=x", "--tx 8*popen"}) {
    EXPECT_EQ(lowered("pytest", line, {.mode = Clamp::Hard}), line) << "pytest " << line;
  }
}

TEST(ClampTest, HardLowersEachWorkerCountOfVitest) {
  expect_lowered("vitest",
                 {{"run --maxWorkers=16", "run --maxWorkers=4"},
                  {"run --maxWorkers 16", "run --maxWorkers 4"},
                  {"run --max-workers=16", "run --max-workers=4"},
                  {"run --maxWorkers=75%", "run --maxWorkers=4"},
                  {"run --maxWorkers 900%", "run --maxWorkers 4"},
                  {"run --maxWorkers=8 --minWorkers=8", "run --maxWorkers=4 --minWorkers=4"},
                  {"--poolOptions.forks.maxForks=8", "--poolOptions.forks.maxForks=4"},
                  {"--poolOptions.threads.maxThreads 8 a", "--poolOptions.threads.maxThreads 4 a"},
                  {"--maxWorkers=99999999999999999999999", "--maxWorkers=4"}});
  for (const std::string line :
       {"run", "run --maxWorkers=4", "run --maxWorkers=50%", "--maxWorkers", "--maxWorkers=",
        "--maxWorkers=-1", "--maxWorkers=%", "run -- --maxWorkers=16", "--maxConcurrency=16",
        "--no-file-parallelism", "--maxWorkers=8.5", "-w 16", "maxWorkers=16"}) {
    EXPECT_EQ(lowered("vitest", line, {.mode = Clamp::Hard}), line) << "vitest " << line;
  }
}

TEST(ClampTest, HardSaysWhatItChangedAndAsksForAffinity) {
  const Clamped clamped = Scene{.mode = Clamp::Hard}.call("make", "-k -j 16 all");
  EXPECT_THAT(clamped.changes, ElementsAre("-j 16 -> -j 4"));
  EXPECT_EQ(clamped.affinity, 4U);
  EXPECT_EQ((Scene{.mode = Clamp::Hard, .processors = 4}.call("make", "").affinity), 0U);
  EXPECT_EQ(Scene{}.call("make", "-j16").affinity, 0U) << "soft";
  EXPECT_THAT(Scene{}.call("make", "-j16").changes, IsEmpty()) << "soft";
}

TEST(ClampTest, NumbersAreDigitsAlone) {
  EXPECT_EQ(shims::plain_number("0"), 0U);
  EXPECT_EQ(shims::plain_number("16"), 16U);
  EXPECT_EQ(shims::plain_number("18446744073709551615"), ~0ULL);
  EXPECT_EQ(shims::plain_number("18446744073709551616"), ~0ULL);
  for (const char* text : {"", " 1", "+1", "-1", "1.5", "0x10", "1 "}) {
    EXPECT_EQ(shims::plain_number(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace onelane::test
