#include "core/project/project.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/core/project/repositories.hpp"

namespace onelane::project {
namespace {

namespace fs = std::filesystem;

class ProjectTest : public RepositoriesTest {
 protected:
  /// Root of the project found, relative to the temporary directory; "none" without one.
  [[nodiscard]] std::string root(const std::string& directory) const {
    const auto found = find({at(directory), {}});
    return found ? relative(found->root) : "none";
  }
  /// State directory of the project found if it is adopted, else "not adopted".
  [[nodiscard]] std::string lane(const std::string& directory) const {
    const auto found = find({at(directory), {}});
    return found && found->adopted ? relative(found->state_dir) : "not adopted";
  }
  [[nodiscard]] std::string relative(const std::string& path) const {
    return fs::path{path}.lexically_relative(dir_).string();
  }
  void submodule(const std::string& super, const std::string& from, const std::string& name) const {
    run("git -C " + super + " -c protocol.file.allow=always submodule add -q '" + at(from) + "' " +
        name);
  }
};

TEST_F(ProjectTest, ARepositoryIsAProjectWithoutALaneUntilItAdoptsUs) {
  repository("shop");
  make_directory("shop/src/deep");
  const auto found = find({at("shop/src/deep"), {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->root, at("shop"));
  EXPECT_EQ(found->name, "shop");
  EXPECT_EQ(found->git_dir, at("shop/.git"));
  EXPECT_EQ(found->common_dir, at("shop/.git"));
  EXPECT_EQ(found->state_dir, at("shop/.git/onelane"));
  EXPECT_FALSE(found->adopted);
  EXPECT_FALSE(found->has_toml);
}

TEST_F(ProjectTest, LookingWritesNothing) {
  repository("shop");
  const auto all = [&] {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator{dir_}) {
      out.push_back(entry.path());
    }
    std::ranges::sort(out);
    return out;
  };
  const auto before = all();
  (void)find({at("shop"), {}});
  (void)find({at("shop"), ".git"});
  EXPECT_EQ(all(), before);
}

TEST_F(ProjectTest, EachOfThreeMarkersAdoptsARepository) {
  for (const char* name : {"one", "two", "three", "file", "link"}) {
    repository(name);
  }
  make_directory("one/.git/onelane");
  make_directory("two/.onelane/state");
  write("three/onelane.toml", "");
  write("file/.git/onelane", "");
  fs::create_directory_symlink(dir_, at("link/.git/onelane"));
  EXPECT_EQ(lane("one"), "one/.git/onelane");
  EXPECT_EQ(lane("two"), "two/.git/onelane");
  EXPECT_EQ(lane("three"), "three/.git/onelane");
  EXPECT_TRUE(find({at("three"), {}})->has_toml);
  EXPECT_EQ(lane("file"), "not adopted");
  EXPECT_EQ(lane("link"), "not adopted");
}

TEST_F(ProjectTest, WithoutGitTheNearestMarkerCounts) {
  write("outer/onelane.toml", "");
  make_directory("outer/inner/.onelane/state");
  make_directory("outer/inner/deep");
  make_directory("outer/plain");
  EXPECT_EQ(lane("outer/inner/deep"), "outer/inner/.onelane/state");
  EXPECT_EQ(lane("outer/plain"), "outer/.onelane/state");
  const auto found = find({at("outer/plain"), {}});
  EXPECT_TRUE(found->has_toml);
  EXPECT_EQ(found->git_dir, "");
  EXPECT_EQ(found->common_dir, "");
}

TEST_F(ProjectTest, WithoutRepositoryOrMarkerThereIsNoProject) {
  make_directory("plain/deep");
  EXPECT_EQ(root("plain/deep"), "none");
  EXPECT_EQ(root("missing"), "none");
}

TEST_F(ProjectTest, ADirectoryYetToBeMadeBelongsToTheOneAbove) {
  repository("shop");
  EXPECT_EQ(root("shop/new/deep/"), "shop");
  fs::current_path(dir_ / "shop");
  EXPECT_EQ(find({"new/deep", {}})->root, at("shop"));
  write("shop/file", "");
  EXPECT_EQ(root("shop/file/deep"), "none") << "this one cannot be made";
}

TEST_F(ProjectTest, EachLinkedWorkTreeHasItsOwnLane) {
  repository("shop");
  run("git -C shop worktree add -q ../linked");
  EXPECT_EQ(lane("linked"), "not adopted");
  make_directory("shop/.git/onelane");
  make_directory("linked/src");
  EXPECT_EQ(lane("shop"), "shop/.git/onelane");
  EXPECT_EQ(lane("linked/src"), "shop/.git/worktrees/linked/onelane");
  const auto found = find({at("linked/src"), {}});
  EXPECT_EQ(found->root, at("linked"));
  EXPECT_EQ(found->common_dir, at("shop/.git"));
}

TEST_F(ProjectTest, ASubmoduleBelongsToItsAdoptedSuperproject) {
  repository("leaf");
  repository("middle");
  submodule("middle", "leaf", "leaf");
  run(std::string{"git -C middle "} + kCommit);
  repository("shop");
  submodule("shop", "middle", "libs/middle");
  run("git -C shop -c protocol.file.allow=always submodule update -q --init --recursive");
  EXPECT_EQ(root("shop/libs/middle/leaf"), "shop/libs/middle/leaf");
  EXPECT_EQ(lane("shop/libs/middle/leaf"), "not adopted");

  make_directory("shop/.git/onelane");
  EXPECT_EQ(lane("shop/libs/middle"), "shop/.git/onelane");
  EXPECT_EQ(lane("shop/libs/middle/leaf"), "shop/.git/onelane");
  EXPECT_EQ(root("shop/libs/middle/leaf"), "shop");

  make_directory("shop/.git/modules/libs/middle/onelane");
  EXPECT_EQ(lane("shop/libs/middle"), "shop/.git/modules/libs/middle/onelane");
  EXPECT_EQ(lane("shop/libs/middle/leaf"), "shop/.git/modules/libs/middle/onelane");
}

TEST_F(ProjectTest, ASubmoduleOfALinkedWorkTreeBelongsToThatWorkTree) {
  repository("leaf");
  repository("shop");
  submodule("shop", "leaf", "leaf");
  run(std::string{"git -C shop "} + kCommit);
  make_directory("shop/.git/onelane");
  run("git -C shop worktree add -q ../linked && "
      "git -C linked -c protocol.file.allow=always submodule update -q --init");
  EXPECT_EQ(lane("linked/leaf"), "shop/.git/worktrees/linked/onelane");
}

TEST_F(ProjectTest, ACloneInsideAnAdoptedRepositoryIsNotASubmodule) {
  repository("shop");
  make_directory("shop/.git/onelane");
  repository("shop/vendor/other");
  EXPECT_EQ(lane("shop/vendor/other"), "not adopted");
  EXPECT_EQ(root("shop/vendor/other"), "shop/vendor/other");
}

TEST_F(ProjectTest, ABareRepositoryIsItsOwnProject) {
  run("git init -q --bare store.git");
  EXPECT_EQ(root("store.git"), "store.git");
  EXPECT_EQ(root("store.git/refs/heads"), "store.git");
  make_directory("store.git/onelane");
  EXPECT_EQ(lane("store.git/objects"), "store.git/onelane");
  const auto found = find({at(""), "store.git"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state_dir, at("store.git/onelane"));
}

TEST_F(ProjectTest, AGitDirectoryBelongsToTheProjectOfItsWorkTree) {
  repository("leaf");
  repository("shop");
  submodule("shop", "leaf", "leaf");
  run(std::string{"git -C shop "} + kCommit + " && git -C shop worktree add -q ../linked");
  EXPECT_EQ(root("shop/.git/hooks"), "shop");
  EXPECT_EQ(root("shop/.git"), "shop");
  EXPECT_EQ(root("shop/.git/worktrees/linked"), "linked");
  EXPECT_EQ(root("shop/.git/modules/leaf"), "shop/leaf");
  make_directory("shop/.git/onelane");
  EXPECT_EQ(root("shop/.git/modules/leaf"), "shop");
}

TEST_F(ProjectTest, ANamedGitDirectoryDecidesAndIsRelativeToTheDirectory) {
  repository("shop");
  repository("other");
  run("git -C shop worktree add -q ../linked");
  const auto named = [&](const std::string& directory, const std::string& git_dir) {
    const auto found = find({directory, git_dir});
    return found ? relative(found->root) : "none";
  };
  EXPECT_EQ(named(at("shop"), at("other/.git")), "other");
  EXPECT_EQ(named(at("shop"), "../other/.git"), "other");
  EXPECT_EQ(named("shop", "../other/.git"), "other");
  EXPECT_EQ(named(at("other"), "../linked/.git"), "linked") << "a file";
  EXPECT_EQ(named(at("other"), at("shop/.git/worktrees/linked")), "linked");
  EXPECT_EQ(named(at("shop/.git"), "."), "shop");
  EXPECT_EQ(named(at("shop"), "../missing"), "none");
  EXPECT_EQ(named(at("shop"), "../other"), "none");
}

TEST_F(ProjectTest, ANearerTomlIsAProjectOnlyWhenItSaysSo) {
  repository("shop");
  write("shop/api/onelane.toml", "# root = true\nname = \"x\"\n[table]\nroot = true\n");
  write("shop/web/onelane.toml", "name = \"web\"\r\n  root=  true  # of its own\r\n[tools]\n");
  make_directory("shop/web/src");
  EXPECT_EQ(root("shop/api"), "shop");
  EXPECT_EQ(lane("shop/api"), "not adopted");
  EXPECT_EQ(root("shop/web/src"), "shop/web");
  EXPECT_EQ(lane("shop/web/src"), "shop/web/.onelane/state");
  EXPECT_EQ(find({at("shop/web/src"), {}})->git_dir, at("shop/.git"));
}

TEST_F(ProjectTest, SymbolicLinksAreResolvedToOnePath) {
  repository("shop");
  make_directory("shop/.git/onelane");
  make_directory("shop/src");
  fs::create_directory_symlink(dir_ / "shop/src", dir_ / "alias");
  EXPECT_EQ(root("alias"), "shop");
  fs::current_path(dir_ / "alias");
  EXPECT_EQ(find({"", {}})->root, at("shop"));
  EXPECT_EQ(find({".", {}})->root, at("shop"));
  EXPECT_EQ(find({"..", {}})->root, at("shop"));
}

TEST_F(ProjectTest, DotGitMayBeALinkToADirectoryOrToAFile) {
  repository("shop");
  make_directory("a/src");
  fs::create_directory_symlink("../shop/.git", dir_ / "a/.git");
  run("git -C shop worktree add -q ../linked");
  make_directory("b");
  fs::create_symlink("../linked/.git", dir_ / "b/.git");
  EXPECT_EQ(find({at("a/src"), {}})->root, at("a"));
  EXPECT_EQ(find({at("a/src"), {}})->state_dir, at("shop/.git/onelane"));
  EXPECT_EQ(find({at("b"), {}})->git_dir, at("shop/.git/worktrees/linked"));
}

TEST_F(ProjectTest, ASeparateGitDirectoryIsFollowed) {
  run("git init -q --separate-git-dir=store work");
  EXPECT_EQ(root("work"), "work");
  EXPECT_EQ(find({at("work"), {}})->git_dir, at("store"));
}

TEST_F(ProjectTest, ADeletedDirectoryHasNoProject) {
  make_directory("gone");
  fs::current_path(dir_ / "gone");
  fs::remove_all(dir_ / "gone");
  EXPECT_FALSE(find({"", {}}));
  EXPECT_FALSE(find({".", {}}));
  EXPECT_FALSE(find({"", "../x"}));
}

TEST_F(ProjectTest, AnInvalidDotGitDoesNotHideTheRepositoryAbove) {
  repository("shop");
  make_directory("shop/sub/.git");
  write("shop/gone/.git", "gitdir: ../.git/worktrees/gone\n");
  EXPECT_EQ(root("shop/sub"), "shop");
  EXPECT_EQ(root("shop/gone"), "shop");
}

TEST_F(ProjectTest, TheSearchForARepositoryStopsBelowACeiling) {
  repository("shop");
  make_directory("shop/a/b");
  ::setenv("GIT_CEILING_DIRECTORIES", (":" + at("shop/a")).c_str(), 1);
  EXPECT_EQ(root("shop/a/b"), "none");
  EXPECT_EQ(root("shop/a"), "shop") << "a ceiling does not exclude the directory we start in";
  ::setenv("GIT_CEILING_DIRECTORIES", at("shop").c_str(), 1);
  EXPECT_EQ(root("shop/a/b"), "none");
  EXPECT_EQ(root("shop"), "shop");
}

}  // namespace
}  // namespace onelane::project
