#include "core/project/state.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <system_error>

#include "core/project/project.hpp"
#include "core/sys/error.hpp"
#include "tests/unit/core/project/repositories.hpp"

namespace onelane::project {
namespace {

namespace fs = std::filesystem;

class StateTest : public RepositoriesTest {
 protected:
  void SetUp() override {
    RepositoriesTest::SetUp();
    previous_ = ::umask(022);
  }
  void TearDown() override {
    ::umask(previous_);
    RepositoriesTest::TearDown();
  }

  [[nodiscard]] Project project(const std::string& directory) const {
    const auto found = find({at(directory), {}});
    EXPECT_TRUE(found) << directory;
    return found.value_or(Project{});
  }
  /// Text of the error; "" when the directory opens.
  static std::string error(const Project& project) {
    try {
      (void)open_state(project);
      return "";
    } catch (const sys::SystemError& problem) {
      return problem.what();
    }
  }
  [[nodiscard]] struct stat info(const std::string& path) const {
    struct stat out {};
    EXPECT_EQ(::lstat(at(path).c_str(), &out), 0) << path;
    return out;
  }
  [[nodiscard]] unsigned mode(const std::string& path) const { return info(path).st_mode & 07777U; }
  void set_mode(const std::string& path, mode_t mode) const {
    ASSERT_EQ(::chmod(at(path).c_str(), mode), 0);
  }
  /// Modes of the state directory and its files, for a git directory with mode `dir_mode`.
  [[nodiscard]] std::string made(const std::string& name, mode_t dir_mode,
                                 const std::string& shared) const {
    repository(name);
    if (!shared.empty()) {
      run("git -C " + name + " config core.sharedRepository " + shared);
    }
    set_mode(name + "/.git", dir_mode);
    const auto fd = open_state(project(name));
    char text[32];
    std::snprintf(text, sizeof text, "%04o %04o", mode(name + "/.git/onelane"),
                  file_mode(fd.get()));
    return text;
  }

 private:
  mode_t previous_ = 0;
};

/// Result of `body` run as another user; "not run" when the child fails.
std::string as_user(uid_t uid, const std::function<std::string()>& body) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool changed = ::setgid(uid) == 0 && ::setuid(uid) == 0;
    const std::string text = changed ? body() : "not run";
    const bool written = ::write(ends[1], text.data(), text.size()) >= 0;
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  char text[512];
  const long got = sys::read_up_to(ends[0], text, sizeof text);
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return {text, static_cast<std::size_t>(got > 0 ? got : 0)};
}

TEST_F(StateTest, TheFirstOpenMakesTheDirectoryAndTheSecondFindsIt) {
  repository("shop");
  const auto shop = project("shop");
  const auto first = open_state(shop);
  EXPECT_GE(first.get(), sys::kFirstOwnDescriptor);
  EXPECT_EQ(::fcntl(first.get(), F_GETFD), FD_CLOEXEC);
  const auto second = open_state(shop);
  EXPECT_TRUE(project("shop").adopted);
  struct stat one {};
  struct stat two {};
  ASSERT_EQ(::fstat(first.get(), &one), 0);
  ASSERT_EQ(::fstat(second.get(), &two), 0);
  EXPECT_EQ(one.st_ino, two.st_ino);
}

TEST_F(StateTest, ALinkedWorkTreeOfAnAdoptedRepositoryGetsItsOwn) {
  repository("shop");
  make_directory("shop/.git/onelane");
  run("git -C shop worktree add -q ../linked");
  (void)open_state(project("linked"));
  EXPECT_TRUE(fs::is_directory(at("shop/.git/worktrees/linked/onelane")));
}

TEST_F(StateTest, WithoutGitBothLevelsAreMade) {
  write("plain/onelane.toml", "");
  (void)open_state(project("plain"));
  EXPECT_TRUE(fs::is_directory(at("plain/.onelane/state")));
  EXPECT_EQ(mode("plain/.onelane/state"), mode("plain"));
}

TEST_F(StateTest, AMissingGitDirectoryIsNotMade) {
  repository("shop");
  const auto shop = project("shop");
  fs::remove_all(dir_ / "shop");
  try {
    (void)open_state(shop);
    FAIL() << "expected SystemError";
  } catch (const sys::SystemError& problem) {
    EXPECT_EQ(problem.code(), std::errc::no_such_file_or_directory);
  }
  EXPECT_FALSE(fs::exists(at("shop")));
}

TEST_F(StateTest, ModeFollowsTheGitDirectoryWithoutWorldWritePermission) {
  EXPECT_EQ(made("private", 0700, ""), "0700 0600");
  EXPECT_EQ(made("usual", 0755, ""), "0755 0600");
  EXPECT_EQ(made("group", 02775, ""), "2775 0660");
  EXPECT_EQ(made("open", 0777, ""), "0775 0660");
}

TEST_F(StateTest, SharedRepositoriesAreWritableForTheGroup) {
  for (const char* value : {"group", "true", "1", "all", "world", "2", "0660", "True"}) {
    EXPECT_EQ(made(std::string{"shared-"} + value, 0755, value), "2775 0660") << value;
  }
  for (const char* value : {"umask", "false", "0", "no", "Off", "0600", "0640"}) {
    EXPECT_EQ(made(std::string{"not-"} + value, 0755, value), "0755 0600") << value;
  }
  EXPECT_EQ(made("everybody", 0755, "0666"), "2777 0666");
}

TEST_F(StateTest, ALinkInItsPlaceIsRefused) {
  repository("shop");
  make_directory("elsewhere");
  fs::create_directory_symlink(dir_ / "elsewhere", dir_ / "shop/.git/onelane");
  EXPECT_NE(error(project("shop")), "");
  write("plain/onelane.toml", "");
  fs::create_directory_symlink(dir_ / "elsewhere", dir_ / "plain/.onelane");
  EXPECT_NE(error(project("plain")), "");
  EXPECT_TRUE(fs::is_empty(at("elsewhere")));
}

TEST_F(StateTest, AWorldWritableDirectoryIsRefusedUnlessTheRepositoryIsShared) {
  repository("shop");
  make_directory("shop/.git/onelane");
  set_mode("shop/.git/onelane", 0777);
  EXPECT_EQ(error(project("shop")), "use " + at("shop/.git/onelane") +
                                        " (writable by everybody: chmod o-w it): "
                                        "Operation not permitted");
  run("git -C shop config core.sharedRepository 0666");
  EXPECT_EQ(error(project("shop")), "");
}

TEST_F(StateTest, RootMakesItForTheOwnerWhoThenCanUseIt) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to act as two users";
  }
  set_mode("", 0755);
  repository("shop");
  run("chown -R 12345:12346 shop");
  const auto shop = project("shop");
  (void)open_state(shop);
  EXPECT_EQ(info("shop/.git/onelane").st_uid, 12345U);
  EXPECT_EQ(info("shop/.git/onelane").st_gid, 12346U);
  EXPECT_EQ(as_user(12345, [&] { return error(shop); }), "");
}

TEST_F(StateTest, AnotherUsersDirectoryIsRefused) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to act as two users";
  }
  repository("shop");
  make_directory("shop/.git/onelane");
  ASSERT_EQ(::chown(at("shop/.git/onelane").c_str(), 12345, 12345), 0);
  EXPECT_EQ(error(project("shop")),
            "use " + at("shop/.git/onelane") +
                " (owned by uid 12345, who is neither you nor root nor the owner of the project): "
                "Operation not permitted");
}

TEST_F(StateTest, WithoutPermissionTheErrorNamesThePath) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to act as two users";
  }
  set_mode("", 0755);
  repository("shop");
  const auto shop = project("shop");
  EXPECT_EQ(as_user(12345, [&] { return error(shop); }),
            "create " + at("shop/.git/onelane") + ": Permission denied");
  EXPECT_FALSE(fs::exists(at("shop/.git/onelane")));
}

}  // namespace
}  // namespace onelane::project
