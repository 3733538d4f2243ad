#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lane/admin.hpp"
#include "core/lane/table.hpp"
#include "tests/integration/doctor_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

/// Does one run, so that the lane's files exist.
void run_once(Practice& shop) {
  shop.must({"run", "--", "true"});
}

TEST(DoctorLaneTest, LocksAreTriedWhereTheLaneIs) {
  Practice shop;
  EXPECT_THAT(nlohmann::json(shop.findings(shop.examine(), "files", "ok")).dump(),
              HasSubstr(shop.state()));
}

TEST(DoctorLaneTest, FilesThatOthersMayWriteOrTheOwnerMayNotAreMended) {
  Practice shop;
  run_once(shop);
  ASSERT_EQ(::chmod((shop.state() + "/lane").c_str(), 0666), 0);
  ASSERT_EQ(::chmod((shop.state() + "/runs.jsonl").c_str(), 0400), 0);
  EXPECT_EQ(shop.wrong("owners").size(), 2U);
  EXPECT_EQ(shop.examine({"--fix"})["fixed"].size(), 2U);
  EXPECT_THAT(shop.wrong("owners"), IsEmpty());
  EXPECT_THAT(shop.examine({"--fix"})["fixed"], IsEmpty());
}

TEST(DoctorLaneTest, ADirectoryThatEveryUserMayWriteIsMended) {
  Practice shop;
  ASSERT_EQ(::chmod(shop.state().c_str(), 0777), 0);
  expect_one(shop.wrong("owners"), "everyone can write to it");
  EXPECT_EQ(shop.examine({"--fix"})["wrong"], 0);
  struct stat info {};
  ASSERT_EQ(::stat(shop.state().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0775U);
}

TEST(DoctorLaneTest, AFileOfAnotherOwnerIsGivenBack) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  Practice shop;
  run_once(shop);
  ASSERT_EQ(::chown((shop.state() + "/lane").c_str(), 4711, 4711), 0);
  expect_one(shop.wrong("owners"), "uid 4711");
  EXPECT_EQ(shop.examine({"--fix"})["wrong"], 0);
  struct stat info {};
  ASSERT_EQ(::stat((shop.state() + "/lane").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, ::geteuid());
}

TEST(DoctorLaneTest, ALinkInAFilesPlaceIsNeverFollowed) {
  Practice shop;
  shop.write("victim", "");
  ASSERT_EQ(::chmod(shop.path("victim").c_str(), 0666), 0);
  fs::create_symlink(shop.path("victim"), shop.state() + "/runs.jsonl");
  expect_one(shop.wrong("owners"), "symbolic link");
  EXPECT_THAT(shop.examine({"--fix"})["fixed"], IsEmpty());
  struct stat info {};
  ASSERT_EQ(::stat(shop.path("victim").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0666U);
}

TEST(DoctorLaneTest, AHardLinkOfAFileIsNeverGivenAwayNorOpened) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  Practice shop;
  shop.write("victim", "");
  fs::create_hard_link(shop.path("victim"), shop.state() + "/runs.jsonl");
  ASSERT_EQ(::chmod(shop.path("victim").c_str(), 0400), 0);
  expect_one(shop.wrong("owners"), "hard link");
  ASSERT_EQ(::chown(shop.state().c_str(), 4711, 4711), 0);
  const auto said = shop.examine({"--fix"});
  struct stat info {};
  ASSERT_EQ(::stat(shop.path("victim").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  EXPECT_EQ(info.st_mode & 0777U, 0400U);
  EXPECT_THAT(nlohmann::json(shop.findings(said, "owners", "wrong")).dump(),
              HasSubstr("hard link"));
  // A file with one name is given to the owner of the directory.
  ASSERT_EQ(::stat((shop.state() + "/manifest").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 4711U) << said.dump(1);
}

TEST(DoctorLaneTest, ADamagedLaneFileIsNamedAndNotTouched) {
  Practice shop;
  run_once(shop);
  const std::string lane = shop.state() + "/lane";
  for (const std::string& damage : {std::string{"short"}, std::string(70'000, 'x')}) {
    std::ofstream{lane, std::ios::binary | std::ios::trunc} << damage;
    const auto found = shop.wrong("lane");
    expect_one(found, "damaged");
    EXPECT_EQ(found[0]["command"], "rm " + lane);
    (void)shop.examine({"--fix"});
    EXPECT_EQ(fs::file_size(lane), damage.size());
  }
  fs::remove(lane);
  EXPECT_THAT(shop.wrong("lane"), IsEmpty());
}

TEST(DoctorLaneTest, WhatIsNoFileInAFilesPlaceIsNamed) {
  Practice shop;
  for (const std::string check : {"lane", "gate", "journal"}) {
    const std::string path = shop.state() + "/" + (check == "journal" ? "runs.jsonl" : check);
    fs::remove(path);
    ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
    expect_one(shop.wrong(check), "is a directory");
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    expect_one(shop.wrong(check), "is a FIFO");
    fs::remove(path);
    fs::create_symlink("nowhere", path);
    expect_one(shop.wrong(check), "is a symbolic link");
    fs::remove(path);
    EXPECT_THAT(shop.wrong(check), IsEmpty());
  }
}

TEST(DoctorLaneTest, ALaneFileThatWasEmptiedUnderARunIsDamaged) {
  Practice shop;
  Running held =
      shop.start({shop.sandbox().root() + "/admin/onelane", "run", "--", "sleep", "1000"});
  ASSERT_TRUE(eventually([&] {
    return fs::exists(shop.state() + "/lane") &&
           shop.onelane({"status", "--json"}).out.find("\"sleep") != std::string::npos;
  }));
  ASSERT_EQ(::truncate((shop.state() + "/lane").c_str(), 0), 0);
  expect_one(shop.wrong("lane"), "damaged");
  held.signal(SIGTERM);
  (void)held.wait();
}

TEST(DoctorLaneTest, ALaneOnHoldIsNoted) {
  Practice shop;
  run_once(shop);
  const lane::Table table{shop.state(), 0600};
  lane::set_held(table, true);
  expect_one(shop.notes("lane"), "on hold");
  lane::set_held(table, false);
  EXPECT_THAT(shop.notes("lane"), IsEmpty());
}

TEST(DoctorLaneTest, AStoppedHolderIsNamedWithWhatWakesIt) {
  Practice shop;
  Running held = shop.start(
      {shop.sandbox().root() + "/admin/onelane", "run", "--", "sh", "-c", "kill -STOP $$; exit 7"});
  ASSERT_TRUE(eventually([&] { return !shop.wrong("lane").empty(); }));
  // onelane stops after its tool, so the finding may change once.
  std::vector<nlohmann::json> found;
  ASSERT_TRUE(eventually([&] {
    found = shop.wrong("lane");
    return found.size() == 1 && found[0]["command"] == "kill -CONT " + std::to_string(held.pid());
  })) << nlohmann::json(found).dump(1);
  EXPECT_TRUE(shop.run({"/bin/bash", "-c", found[0]["command"]}).exited_with(0));
  EXPECT_TRUE(held.wait().exited_with(7));
  EXPECT_THAT(shop.wrong("lane"), IsEmpty());
}

TEST(DoctorLaneTest, AStoppedProcessInTheGateIsNamed) {
  Practice shop;
  run_once(shop);
  const std::string script =
      "import fcntl,os,signal\nf=open('" + shop.state() +
      "/gate','r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nos.kill(os.getpid(),signal.SIGSTOP)\n";
  Running stuck = shop.start({"/usr/bin/python3", "-c", script});
  ASSERT_TRUE(eventually([&] { return !shop.wrong("gate").empty(); }));
  expect_one(shop.wrong("gate"), "kill -CONT " + std::to_string(stuck.pid()));
  stuck.signal(SIGCONT);
  (void)stuck.wait();
  EXPECT_THAT(shop.wrong("gate"), IsEmpty());
}

TEST(DoctorLaneTest, LinesOfTheJournalThatCannotBeReadAreCounted) {
  Practice shop;
  run_once(shop);
  EXPECT_THAT(shop.notes("journal"), IsEmpty());
  std::ofstream{shop.state() + "/runs.jsonl", std::ios::app} << "{\"schema\":1,\"id\n"
                                                             << "\n";
  expect_one(shop.notes("journal"), "1 of 2 lines");
}

TEST(DoctorLaneTest, AnIndexLockWithoutAnOwnerIsWrongAndStays) {
  Practice shop;
  shop.write(".git/index.lock", "");
  const auto found = shop.wrong("index");
  expect_one(found, "no git is at work here");
  ASSERT_EQ(found.size(), 1U);  // a git elsewhere whose directory we may not see makes it a note
  EXPECT_EQ(found[0]["command"], "rm " + shop.path(".git/index.lock"));
  (void)shop.examine({"--fix"});
  EXPECT_TRUE(shop.has(".git/index.lock"));
}

TEST(DoctorLaneTest, AnIndexLockThatGitHoldsIsOnlyNoted) {
  Practice shop;
  shop.git({"config", "core.editor", "sh -c 'sleep 1000' --"});
  shop.write("a", "");
  shop.git({"add", "a"});
  Running git = shop.start({"/usr/bin/git", "commit", "-a"});
  ASSERT_TRUE(eventually([&] { return shop.has(".git/index.lock"); }));
  const auto said = shop.examine();
  EXPECT_THAT(shop.findings(said, "index", "wrong"), IsEmpty());
  EXPECT_EQ(shop.findings(said, "index", "note").size(), 1U);
  git.signal(SIGKILL);
  (void)git.wait();
  shop.sandbox().forgive_leftovers();
}

}  // namespace
}  // namespace onelane::test
