#include <gmock/gmock.h>

#include <chrono>

#include "core/settings/settings.hpp"
#include "core/settings/toml_reader.hpp"
#include "tests/unit/core/settings/sandbox.hpp"

namespace onelane::settings {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

class HostileTest : public SandboxTest {
 protected:
  void expect_one_problem(const std::string& file, int line, const std::string& text) {
    const auto [s, problems] = loaded();
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_EQ(problems[0].where.file, file);
    EXPECT_EQ(problems[0].where.line, line);
    EXPECT_THAT(problems[0].text, HasSubstr(text));
    EXPECT_EQ(s.timeout.value, 0s);
  }
};

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    text += part;
  }
  return text;
}

struct Bad {
  const char* line;
  const char* what;
};

TEST_F(HostileTest, ABadValueIsReportedWithTheAcceptedOnesAndTheLowerLayerStays) {
  const Bad cases[] = {
      {"TIMEOUT=soon", "'soon' is not a duration; accepted: seconds (30, 2.5), 500ms"},
      {"TIMEOUT=-1", "'-1' is not a duration"},
      {"CHECK_INTERVAL=1ms", "'1ms' is not a check interval; accepted: 50ms to 1h"},
      {"MEMORY_LIMIT_MB=lots", "'lots' is not a size; accepted: megabytes (2048), 512M, 2G"},
      {"MAX_PROCESSES=2.5", "'2.5' is not a number; accepted: whole numbers"},
      {"VERBOSE=maybe", "'maybe' is not yes or no; accepted: 1, 0, true"},
      {"ON_ERROR=shut", "'shut' is not a choice; accepted: open, closed"},
      {"ON_DEADLOCK=x", "accepted: fail, run"},
      {"WAIT=some", "accepted: tool, all"},
      {"PRIORITY=101", "'101' is not a priority; accepted: -100 to 100"},
      {"SCOPE=../up", "'../up' is not a scope; accepted: worktree, repository, user"},
      {"LANES=three", "accepted: one, split"},
      {"LOG_DIR=\"a\\nb\"", "accepted: a directory"},
      {"KEEP=\"a\\tb\"", "'a?b' is not a program's name"},
      {"COALESCE=make:", "'make:' is not a call; accepted: TOOL or TOOL:FIRST-ARGUMENT"},
      {"COALESCE=make*", "make:test, npm:test-* (`*` stands for any text behind the colon)"},
      {"COALESCE=./make", "'./make' is not a call"},
      {"TIMEOUT='5", "the quote is not closed"},
      {"TIMEOUT=\x1b]0;x\x07", "'?]0;x?' is not a duration"},
  };
  for (const auto& bad : cases) {
    write(dotenv(), std::string{"ONELANE_"} + bad.line + "\n");
    expect_one_problem(dotenv(), 1, bad.what);
  }
}

TEST_F(HostileTest, BadTomlValuesAreReportedWithTheirLine) {
  const Bad cases[] = {
      {"timeot = 5", "is not known; did you mean 'timeout'?"},
      {"zzz = 5", "`onelane settings` lists the names"},
      {"timeout = inf", "is not a duration"},
      {"timeout = [\"5\"]", "a list does not fit here"},
      {"timeout = { a = 1 }", "has the wrong type"},
      {"timeout = 2020-01-01", "has the wrong type"},
      {"keep = [1]", "has the wrong type"},
      {"root = 5", "accepted: true, false"},
      {"tools = 1", "is not known"},
      {"timeout = ", "is not TOML and was left out"},
      {"[tools.\"a/b\"]", "is not a tool's name"},
      {"tools.cargo.class = \"x\"", "accepted: \"lane\", \"pass\""},
      {"tools.cargo.pass = \"x\"", "accepted: a list of strings"},
      {"tools.cargo.cmd = \"x\"", "accepted: class, pass, service, real"},
  };
  for (const auto& bad : cases) {
    write(toml(), std::string{"\n"} + bad.line + "\n");
    expect_one_problem(toml(), 2, bad.what);
  }
}

TEST_F(HostileTest, BadEnvironmentAndCommandLineValuesAreNamed) {
  environment_["ONELANE_TIMEOUT"] = "x";
  command_line_ = {{"--timeot", "5"}, {"sequential-lock-base-dir", "/x"}};
  const auto problems = loaded().problems;
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(place_of(problems[0].where), "environment (ONELANE_TIMEOUT)");
  EXPECT_EQ(place_of(problems[1].where), "command line (--timeot)");
  EXPECT_THAT(problems[1].text, HasSubstr("did you mean 'timeout'?"));
  EXPECT_THAT(problems[2].text, HasSubstr("does not count here"));
}

TEST_F(HostileTest, LinksFifosDirectoriesAndHugeFilesAreNotRead) {
  write(base_ + "/target", "timeout = 5\nONELANE_TIMEOUT=5\n");
  for (const auto& file : {toml(), dotenv()}) {
    std::filesystem::create_symlink(base_ + "/target", file);
    expect_one_problem(file, 0, "is a symbolic link");
    std::filesystem::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    expect_one_problem(file, 0, "is not a regular file");
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    expect_one_problem(file, 0, "is not a regular file");
    std::filesystem::remove(file);
    write(file, "ONELANE_TIMEOUT=5\n" + std::string(10U << 20, '#'));
    expect_one_problem(file, 0, "is too large");
    std::filesystem::remove(file);
  }
}

TEST_F(HostileTest, AZeroByteMakesAValueInvalid) {
  using namespace std::string_literals;
  write(dotenv(), "ONELANE_TIMEOUT=5\0\n"s);
  expect_one_problem(dotenv(), 1, "'5?' is not a duration");
  write(dotenv(), "");
  write(toml(), "timeout = 5\0\n"s);
  EXPECT_EQ(loaded().problems.size(), 1U);
}

TEST(HostileTomlTest, NonAsciiLettersAreTextInStringsAndAnErrorOutside) {
  EXPECT_NE(read_toml("B\xd0\x98"
                      "B = 1")
                .error,
            "");
  EXPECT_NE(read_toml("a = \xd0\x98").error, "");
  EXPECT_NE(read_toml("[`").error, "");
  EXPECT_NE(read_toml("[([N").error, "");
  const auto fine = read_toml("# \xd0\x98\na = \"\xd0\x98\"\n");
  EXPECT_EQ(fine.error, "");
  ASSERT_EQ(fine.values.size(), 1U);
  EXPECT_EQ(fine.values[0].text, "\xd0\x98");
}

TEST(HostileTomlTest, DeepAndLongTextsAreRejectedQuickly) {
  const int many = 300000;
  const std::string texts[] = {
      "a = " + repeated("[", many),
      "a = " + repeated("{a=", many / 2),
      repeated("a.", many) + "a = 1",
      "[" + repeated("a.", many) + "a]",
      "[" + repeated("\"a\" . ", many / 4) + "a]",
      "a = {" + repeated("a.", many) + "a = 1}",
      "a = [" + repeated("1,", many) + "]",
      "a = \"" + repeated("\\u0041", many / 6),
      repeated("[[a]]\n", many / 6),
      repeated("[[a.a]]\n", 20000),
      repeated(repeated("a.", 60) + "a = [{\n", 20),
  };
  for (const auto& text : texts) {
    const auto before = std::chrono::steady_clock::now();
    const auto document = read_toml(text);
    // Generous, for sanitizers and a busy machine; quadratic time would take minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - before, 10s) << text.substr(0, 20);
    EXPECT_TRUE(!document.error.empty() || document.values.size() <= 1) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace onelane::settings
