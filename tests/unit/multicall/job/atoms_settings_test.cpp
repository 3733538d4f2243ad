#include "multicall/job/atoms_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace onelane::multicall {
namespace {

std::string forbidden(std::string_view program, const std::string& text, bool is_own = false) {
  return atom_forbidden_key(*shims::find_atom_tool(program, "format"), is_own, text);
}

TEST(AtomSettingsTest, KeysCountInTheirSectionOnly) {
  EXPECT_EQ(forbidden("black", "[tool.poetry]\ninclude = []\n[tool.black]\nline-length = 9\n"), "");
  EXPECT_EQ(forbidden("black", "[tool.black]\n  include = 'x'\n"), "include");
  EXPECT_EQ(forbidden("black", "[tool.black]\n\"include\" = 'x'\n"), "include");
  EXPECT_EQ(forbidden("black", "[tool.black]\n# include = 'x'\n"), "");
  EXPECT_EQ(forbidden("ruff", "extend-include = ['*.pyw']\n", true), "extend-include");
  EXPECT_EQ(forbidden("ruff", "extend-include = ['*.pyw']\n"), "");
}

TEST(AtomSettingsTest, WordsCountAnywhere) {
  EXPECT_EQ(forbidden("pytest", "[pytest]\naddopts = -q\n  --cov=src\n"), "--cov");
  EXPECT_EQ(forbidden("pytest", "[tool.pytest.ini_options]\naddopts = [\"-n4\", \"-q\"]\n"), "-n4");
  EXPECT_EQ(forbidden("pytest", "[tool:pytest]\npython_files = check_*.py\n"), "python_files");
  EXPECT_EQ(forbidden("pytest", "[coverage:run]\naddopts = -n4\n[pytest]\naddopts = -q\n"), "");
}

TEST(AtomSettingsTest, AnIncludePatternMatchesOnlyItsFiles) {
  // std::regex, as JavaScript, lacks Python's `\Z`; the rest of the pattern means the same in both.
  std::string pattern =
      atom_include_pattern("/", {"/a b.py", "/x/one.py", "/x/o(e).py", "/new\nline.py"});
  ASSERT_TRUE(pattern.ends_with("\\Z"));
  EXPECT_EQ(pattern.find('\n'), std::string::npos);
  pattern.replace(pattern.size() - 2, 2, "$");
  const std::regex regex{pattern};
  EXPECT_TRUE(std::regex_search("/a b.py", regex)) << pattern;
  EXPECT_TRUE(std::regex_search("/x/one.py", regex));
  EXPECT_TRUE(std::regex_search("/x/o(e).py", regex));
  EXPECT_TRUE(std::regex_search("/new\nline.py", regex));
  EXPECT_FALSE(std::regex_search("/y/x/one.py", regex));
  EXPECT_FALSE(std::regex_search("/x/one.pyi", regex));
  EXPECT_FALSE(std::regex_search("/x/oee.py", regex));
  EXPECT_FALSE(std::regex_search("/a bxpy", regex));
}

}  // namespace
}  // namespace onelane::multicall
