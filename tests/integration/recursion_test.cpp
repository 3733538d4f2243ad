// No matter what else is on PATH, one call of a shim runs the real tool once.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <tuple>

#include "tests/integration/recursion.hpp"

namespace onelane {
namespace {

enum class Layout { One, TwoProjects, Alias, Relative, Empty, Twice, TwoBuilds };
enum class Caller { Bare, Absolute, OddDirectory, LeadingDash, OtherHome, DeletedDirectory };

constexpr const char* kLayouts[] = {"One",   "TwoProjects", "Alias",    "Relative",
                                    "Empty", "Twice",       "TwoBuilds"};
constexpr const char* kCallers[] = {"Bare",        "Absolute",  "OddDirectory",
                                    "LeadingDash", "OtherHome", "DeletedDirectory"};

using Case = std::tuple<Install, Layout, Caller, const char*>;

class RecursionMatrixTest : public RecursionTest, public testing::WithParamInterface<Case> {
 protected:
  static std::string path_for(Layout layout, const char* kind) {
    const std::string a = shims(kind);
    switch (layout) {
      case Layout::One:
        return a;
      case Layout::TwoProjects:
        return a + ":" + shims(kind, "b").string();
      case Layout::Alias:
        return shims(kind, "alias").string() + ":" + a;
      case Layout::Relative:
        return std::string{kind} + "/a:./" + kind + "/b";
      case Layout::Empty:
        return "";
      case Layout::Twice:
        return a + ":/nonexistent:" + a + "/";
      case Layout::TwoBuilds:
        return a + ":" + shims(kind, "c").string();
    }
    return {};
  }
  static std::string name_for(Caller caller, const std::string& tool, const std::string& file) {
    switch (caller) {
      case Caller::Absolute:
        return file;
      case Caller::OddDirectory:
        return "no/such/../directory/" + tool;
      case Caller::LeadingDash:
        return "-" + tool;
      default:
        return tool;
    }
  }
};

TEST_P(RecursionMatrixTest, TheRealToolRunsOnce) {
  const auto [install, layout, caller, tool] = GetParam();
  const char* kind = kInstalls[index(install)];
  Call call;
  call.file = shims(kind, layout == Layout::Alias ? "alias" : "a") / tool;
  call.argv = {name_for(caller, tool, call.file), "all", "two words"};
  call.environment =
      environment(path_for(layout, kind) + ":" + fs::path{real(tool)}.parent_path().string());
  call.directory = layout == Layout::Empty ? shims(kind) : shims(kind).parent_path().parent_path();
  if (caller == Caller::OtherHome) {
    call.environment.back() = "HOME=/nonexistent";
  }
  if (caller == Caller::DeletedDirectory) {
    call.directory += "/gone";
    call.delete_directory = true;
  }
  Call direct = call;
  direct.file = real(tool);
  const Result expected = run(direct);
  fs::remove(trace());

  const Result result = run(call);
  EXPECT_EQ(result.out, "real " + real(tool) + " all two words\n");
  EXPECT_EQ(result.err, expected.err);  // a shell in a deleted directory prints a warning
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(traced(), "real\n");
}

std::string name_of_layout(const testing::TestParamInfo<Case>& info) {
  const auto [install, layout, caller, tool] = info.param;
  return std::string{kInstalls[index(install)]} + kLayouts[index(layout)] +
         kCallers[index(caller)] + (tool[0] == 'm' ? "Make" : "Pytest");
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, RecursionMatrixTest,
    testing::Combine(testing::Values(Install::Symlink, Install::HardLink, Install::Copy),
                     testing::Values(Layout::One, Layout::TwoProjects, Layout::Alias,
                                     Layout::Relative, Layout::Empty, Layout::Twice,
                                     Layout::TwoBuilds),
                     testing::Values(Caller::Bare, Caller::Absolute, Caller::OddDirectory,
                                     Caller::LeadingDash, Caller::OtherHome,
                                     Caller::DeletedDirectory),
                     testing::ValuesIn(kTools)),
    name_of_layout);

}  // namespace
}  // namespace onelane
