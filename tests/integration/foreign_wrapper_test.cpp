// Other people's wrappers around a shim: every wrapper may run, the real tool runs once, and there
// is no endless loop. Also calls with the system's own PATH.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/integration/recursion.hpp"

namespace onelane {
namespace {

/// How a wrapper looks for what it wraps.
struct Wrapper {
  const char* name;
  const char* text;  ///< After the line that traces its start.
  long most_starts;  ///< In one call.
};

constexpr Wrapper kWrappers[] = {
    {"Executes", R"(exec make "$@")", 2},
    {"ExecutesWithMore", R"(exec make "$@" --more)", 3},
    {"Spawns", R"(make "$@"; exit $?)", 2},
    {"SpawnsBelowAShell", R"(/bin/sh -c 'make "$@"; exit $?' sh "$@"; exit $?)", 2},
    {"SpawnsWithMore", R"(make "$@" --more; exit $?)", 18},
    {"CallsUsByPath", R"(exec "$SHIM" "$@")", 2},
};
/// A wrapper in front of us must leave out its own directory, or it would find itself.
constexpr const char* kLeaveOut = "PATH=${PATH#*:}; export PATH; ";

class ForeignWrapperTest : public RecursionTest,
                           public testing::WithParamInterface<std::tuple<Install, Wrapper>> {
 protected:
  void SetUp() override {
    RecursionTest::SetUp();
    const Wrapper wrapper = std::get<Wrapper>(GetParam());
    const bool by_path = std::string{wrapper.text}.find("$SHIM") != std::string::npos;
    wrap("before", std::string{by_path ? "" : kLeaveOut} + wrapper.text);
    wrap("after", wrapper.text);
    wrap("second", wrapper.text);
  }
  static void wrap(const std::string& place, const std::string& text) {
    script(place, "make", "echo " + place + R"( >>"$TRACE"; )" + text);
  }
  static std::string shim() { return shims(kInstalls[index(std::get<Install>(GetParam()))]); }
  static std::string place(const char* name) { return root / name; }
  /// `make all` with only these directories on PATH; executes what a shell would find first.
  static Result make(const std::vector<std::string>& directories) {
    std::string path;
    for (const auto& directory : directories) {
      path += (path.empty() ? "" : ":") + directory;
    }
    Call call;
    call.file = directories.front() + "/make";
    call.argv = {"make", "all"};
    call.environment = {"PATH=" + path, "TRACE=" + trace().string(), "SHIM=" + shim() + "/make"};
    call.directory = root / "project";
    return run(call);
  }
  static void expect_real_ran_once(const Result& result) {
    EXPECT_EQ(result.out.find("real " + real("make") + " all"), 0U) << result.out;
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(lines(traced(), "real"), 1) << traced();
    for (const char* name : {"before", "after", "second"}) {
      EXPECT_LE(lines(traced(), name), std::get<Wrapper>(GetParam()).most_starts) << traced();
    }
  }
};

TEST_P(ForeignWrapperTest, AfterUsOnPath) {
  expect_real_ran_once(make({shim(), place("after"), place("real")}));
  EXPECT_GE(lines(traced(), "after"), 1) << "the wrapper is what the caller asked for";
}

TEST_P(ForeignWrapperTest, BeforeUsOnPath) {
  expect_real_ran_once(make({place("before"), shim(), place("real")}));
}

TEST_P(ForeignWrapperTest, BeforeAndAfterUsOnPath) {
  expect_real_ran_once(make({place("before"), shim(), place("after"), place("real")}));
}

TEST_P(ForeignWrapperTest, TwoBehindUsAndUsBetween) {
  expect_real_ran_once(make({shim(), place("after"), shim(), place("second"), place("real")}));
}

TEST_P(ForeignWrapperTest, WithNothingBehindItTheLoopEnds) {
  const Result result = make({shim(), place("after")});
  EXPECT_EQ(result.status, 126);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("onelane: "), std::string::npos) << result.err;
  EXPECT_LE(lines(traced(), "after"), 66);
}

std::string name_of_case(const testing::TestParamInfo<std::tuple<Install, Wrapper>>& info) {
  return std::string{kInstalls[index(std::get<Install>(info.param))]} +
         std::get<Wrapper>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(Every, ForeignWrapperTest,
                         testing::Combine(testing::Values(Install::Symlink, Install::HardLink,
                                                          Install::Copy),
                                          testing::ValuesIn(kWrappers)),
                         name_of_case);

// --- One shim, odd surroundings ---------------------------------------------------------------

class OddCallTest : public RecursionTest, public testing::WithParamInterface<Install> {
 protected:
  [[nodiscard]] static Call call(const std::string& name, const std::string& argument) {
    Call out;
    out.file = shims(kInstalls[index(GetParam())]) / "make";
    out.argv = {name, argument};
    out.directory = root / "project";
    return out;
  }
  static std::string shim_and(const char* name) {
    return shims(kInstalls[index(GetParam())]).string() + ":" + (root / name).string();
  }
};

TEST_P(OddCallTest, WithoutPathTheSystemsToolRuns) {
  const std::string system = fs::exists("/bin/make") ? "/bin/make" : "/usr/bin/make";
  if (!fs::exists(system)) {
    GTEST_SKIP() << "no make in /bin or /usr/bin";
  }
  Call direct = call("make", "--version");
  direct.file = system;
  const Result expected = run(direct);
  for (const auto& environment : {std::vector<std::string>{}, {"HOME=/", "TERM=dumb"}}) {
    Call ours = call("make", "--version");
    ours.environment = environment;
    const Result result = run(ours);
    EXPECT_EQ(result.out, expected.out);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.status, 0);
  }
}

TEST_P(OddCallTest, ANameThatNoToolHasIsNotFound) {
  Call odd = call("no-such-tool", "all");
  odd.environment = environment(shim_and("real"));
  const Result result = run(odd);
  EXPECT_EQ(result.status, 127);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err.find("onelane: "), 0U) << result.err;
  EXPECT_EQ(traced(), "");
}

TEST_P(OddCallTest, RecursionOfTheRealToolStaysWithIt) {
  script("recursive", "make", R"(echo "make $1" >>"$TRACE"
case $1 in all) make one && make two;; one) cd / && make all-one;; esac)");
  Call ours = call("make", "all");
  ours.environment = environment(shim_and("recursive") + ":" + (root / "recursive2").string());
  script("recursive2", "make", R"(echo wrong >>"$TRACE")");
  const Result result = run(ours);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(traced(), "make all\nmake one\nmake all-one\nmake two\n");
}

TEST_P(OddCallTest, AMakeThatReadsItsMakefilesAnewStaysTheSame) {
  if (!fs::exists("/usr/bin/make")) {
    GTEST_SKIP() << "no make in /usr/bin";
  }
  fs::create_directories(root / "first");
  fs::remove(root / "first/make");
  fs::create_symlink("/usr/bin/make", root / "first/make");
  script("wrong", "make", "echo wrong");
  fs::remove(root / "project/made.mk");
  std::ofstream{root / "project/Makefile"}
      << "all:\n\t@echo built by $(BY) after $(MAKE_RESTARTS) restarts\n"
         "include made.mk\nmade.mk:\n\t@echo BY = first >$@\n";
  Call ours = call("make", "all");
  ours.environment = environment(shim_and("first") + ":" + (root / "wrong").string());
  const Result result = run(ours);
  EXPECT_EQ(result.out, "built by first after 1 restarts\n");
  EXPECT_EQ(result.status, 0);
}

std::string name_of_install(const testing::TestParamInfo<Install>& info) {
  return kInstalls[index(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Every, OddCallTest,
                         testing::Values(Install::Symlink, Install::HardLink, Install::Copy),
                         name_of_install);

}  // namespace
}  // namespace onelane
