#include "core/tool/find.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/unit/core/tool/path_directories.hpp"

namespace onelane::tool {
namespace {

TEST_F(FindTest, TheFirstExecutableOnPathIsTaken) {
  const auto first = script("a/make");
  script("b/make");
  const auto found = find(path_of({"none", "a", "b"}));
  EXPECT_EQ(found.outcome, Outcome::Found);
  EXPECT_EQ(found.path, first);
}

TEST_F(FindTest, WeAreSkippedAsLinkHardLinkAndCopy) {
  const auto self = fs::read_symlink("/proc/self/exe");
  shim("link/make");
  fs::create_directories(dir_ / "copy");
  fs::copy_file(self, dir_ / "copy/make");
  fs::create_directories(dir_ / "hard");
  fs::create_hard_link(dir_ / "copy/make", dir_ / "hard/make");
  fs::create_directory_symlink("link", dir_ / "alias");
  const auto real = script("real/make");
  EXPECT_EQ(find(path_of({"link", "copy", "hard", "alias", "link", "real"})).path, real);

  const auto all = all_candidates("make", path_of({"link", "copy", "hard", "real"}).c_str());
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].verdict, Verdict::Self);
  EXPECT_EQ(all[0].file, self_file());
  EXPECT_EQ(all[1].verdict, Verdict::OnelaneCopy);
  EXPECT_EQ(all[2].verdict, Verdict::OnelaneCopy);
  EXPECT_EQ(all[3].verdict, Verdict::Real);
  EXPECT_EQ(all[3].path, real);
}

TEST_F(FindTest, AFileThatCannotBeExecutedIsSkipped) {
  fs::create_directories(dir_ / "directory/make");
  fs::permissions(script("plain/make"), fs::perms{0644});
  fs::create_directories(dir_ / "dangling");
  fs::create_symlink("nowhere", dir_ / "dangling/make");
  const auto real = script("real/make");
  const auto path = path_of({"directory", "plain", "dangling", "real"});
  EXPECT_EQ(find(path).path, real);

  const auto all = all_candidates("make", path.c_str());
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].verdict, Verdict::NotAFile);
  EXPECT_EQ(all[1].verdict, Verdict::NotExecutable);
  EXPECT_EQ(all[2].verdict, Verdict::NotAFile);
}

TEST_F(FindTest, OnlyOurselvesMeansNotFound) {
  shim("link/make");
  EXPECT_EQ(find(path_of({"link", "none"})).outcome, Outcome::NotFound);
}

TEST_F(FindTest, AToolThatWeMayExecuteButNotReadIsTaken) {
  const auto real = script("real/make");
  fs::permissions(real, fs::perms{0111});
  EXPECT_EQ(find(path_of({"real"})).path, real);
}

TEST_F(FindTest, RelativeAndEmptyEntriesAreRelativeToTheCurrentDirectory) {
  const auto real = script("a/make");
  EXPECT_EQ(find("a").path, real);
  EXPECT_EQ(find("none:./a").path, (dir_ / "./a/make").string());
  fs::current_path(dir_ / "a");
  EXPECT_EQ(find("").path, real);
  EXPECT_EQ(find(":/none").path, real);
  EXPECT_EQ(find("/none:").path, real);
}

TEST_F(FindTest, InADeletedDirectoryRelativeEntriesAreSkipped) {
  const auto real = script("a/make");
  script("gone/make");
  fs::current_path(dir_ / "gone");
  fs::remove_all(dir_ / "gone");
  EXPECT_EQ(find(path_of({"=.", "=", "=../a", "a"})).path, real);
}

TEST_F(FindTest, WithoutPathTheSystemsOwnIsUsed) {
  const auto found = find_real({.name = "sh", .path = nullptr, .at = nullptr, .args = {}});
  EXPECT_EQ(found.outcome, Outcome::Found);
  EXPECT_TRUE(found.path == "/bin/sh" || found.path == "/usr/bin/sh") << found.path;
}

TEST_F(FindTest, ANameWithADirectoryOrNoNameIsNotFound) {
  script("a/make");
  const auto path = path_of({"a"});
  EXPECT_EQ(find_real({.name = "../a/make", .path = path.c_str(), .args = {}}).outcome,
            Outcome::NotFound);
  EXPECT_EQ(find_real({.name = "", .path = path.c_str(), .args = {}}).outcome, Outcome::NotFound);
}

TEST_F(FindTest, AnOverlongPathEntryIsSkipped) {
  const auto real = script("a/make");
  EXPECT_EQ(find("/" + std::string(10000, 'x') + ":" + path_of({"a"})).path, real);
}

}  // namespace
}  // namespace onelane::tool
