// Files that other users may have planted.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "core/project/project.hpp"
#include "tests/unit/core/project/repositories.hpp"

namespace onelane::project {
namespace {

namespace fs = std::filesystem;

class HostileTest : public RepositoriesTest {
 protected:
  /// Root of the project found, relative to the temporary directory; "none" without one.
  [[nodiscard]] std::string root(const std::string& directory) const {
    const auto found = find({at(directory), {}});
    return found ? fs::path{found->root}.lexically_relative(dir_).string() : "none";
  }
};

TEST_F(HostileTest, HostileDotGitFilesAreNotARepository) {
  repository("shop");
  const auto target = at("shop/.git");
  write("nul/.git", "gitdir: " + target + std::string{'\0'} + "x\n");
  write("big/.git", "gitdir: " + target + std::string(1 << 20, '\n'));
  write("empty/.git", "");
  write("other/.git", "ref: " + target + "\n");
  write("self/.git", "gitdir: .git\n");
  write("tree/.git", "gitdir: ../shop\n");
  make_directory("loop");
  fs::create_symlink(".git", dir_ / "loop/.git");
  make_directory("fifo");
  ASSERT_EQ(::mkfifo(at("fifo/.git").c_str(), 0600), 0);
  make_directory("hollow/.git/objects");
  make_directory("hollow/.git/refs");
  for (const char* name :
       {"nul", "big", "empty", "other", "self", "tree", "loop", "fifo", "hollow"}) {
    EXPECT_EQ(root(name), "none") << name;
  }
  write("crlf/.git", "gitdir: ../shop/.git\r\n");
  EXPECT_EQ(root("crlf"), "crlf");
}

TEST_F(HostileTest, AnotherUsersMarkerInAPublicDirectoryDoesNotCount) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to give files away";
  }
  make_directory("tmp/work");
  write("tmp/onelane.toml", "");
  EXPECT_EQ(root("tmp/work"), "tmp");
  ASSERT_EQ(::chmod(at("tmp").c_str(), 01777), 0);
  EXPECT_EQ(root("tmp/work"), "tmp");
  ASSERT_EQ(::chown(at("tmp/onelane.toml").c_str(), 12345, 12345), 0);
  EXPECT_EQ(root("tmp/work"), "none");
  ASSERT_EQ(::chmod(at("tmp").c_str(), 0775), 0);
  EXPECT_EQ(root("tmp/work"), "tmp");
}

}  // namespace
}  // namespace onelane::project
