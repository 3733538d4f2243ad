#include <gmock/gmock.h>

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/sys/error.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/file_system.hpp"
#include "multicall/doctor/scene.hpp"

namespace onelane::multicall::doctor {
namespace {

TEST(FileSystemTest, IsKnownByItsMagicNumber) {
  const std::pair<long, FileSystem> rows[] = {
      {0x6969, {"nfs", Place::Network}},         {0x01021997, {"9p", Place::Shared}},
      {0x65735546, {"fuse", Place::Shared}},     {0x786f4256, {"vboxsf", Place::Shared}},
      {0x794c7630, {"overlay", Place::Layered}}, {0xef53, {"", Place::Local}},
      {0x58465342, {"", Place::Local}},          {0x01021994, {"", Place::Local}}};
  for (const auto& [magic, expected] : rows) {
    EXPECT_EQ(file_system_of(magic).name, expected.name) << magic;
    EXPECT_EQ(file_system_of(magic).place, expected.place) << magic;
    EXPECT_EQ(meaning_of(expected.place).empty(), expected.place == Place::Local);
  }
}

TEST(FileSystemTest, ANumberThatWasSignExtendedIsTheSame) {
  EXPECT_EQ(file_system_of(static_cast<long>(static_cast<int>(0xff534d42))).name, "cifs");
  EXPECT_EQ(file_system_of(0xff534d42L).name, "cifs");
}

TEST(FileSystemTest, RoomIsCountedInBytesAndFiles) {
  constexpr unsigned long long kMany = 1ULL << 40U;
  EXPECT_EQ(room_of(kMany, kMany, kMany), Room::Enough);
  EXPECT_EQ(room_of(kMany, 0, 0), Room::Enough);
  EXPECT_EQ(room_of(50ULL << 20U, kMany, kMany), Room::Little);
  EXPECT_EQ(room_of(kMany, 5, kMany), Room::Little);
  EXPECT_EQ(room_of(4096, kMany, kMany), Room::None);
  EXPECT_EQ(room_of(kMany, 0, kMany), Room::None);
}

TEST(LockTrialTest, WorksHereAndLeavesNothing) {
  std::string directory = (std::filesystem::temp_directory_path() / "doctor-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const LockTrial trial = try_locks(directory);
  EXPECT_EQ(trial.result, LockTrial::Result::Works);
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
}

/// The fix of the one finding about `path`; the tests try to make it change another file.
std::function<std::string()> fix_of(const std::string& root, const std::string& path) {
  Scene scene;
  scene.placed.root = root;
  scene.placed.state_dir = root + "/.onelane/state";
  Findings findings{"owners"};
  look_at_owners(scene, findings);
  for (const Finding& finding : findings.take()) {
    if (finding.where == path) {
      return finding.fix;
    }
  }
  return nullptr;
}

TEST(OwnersTest, AFileThatCameInTheOthersPlaceIsLeftAlone) {
  namespace fs = std::filesystem;
  std::string root = (fs::temp_directory_path() / "doctor-XXXXXX").string();
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const std::string state = root + "/.onelane/state";
  fs::create_directories(state + "/git");
  fs::create_directories(root + "/other");
  const auto make = [](const std::string& path) {
    std::ofstream{path} << "";
    fs::permissions(path, fs::perms{0400});
  };
  const auto mode = [](const std::string& path) { return fs::status(path).permissions(); };
  for (const std::string& directory : {state, state + "/git"}) {
    const std::string lane = directory + "/lane";
    make(lane);
    const auto mend = fix_of(root, lane);
    ASSERT_TRUE(mend);
    fs::rename(lane, lane + "-seen");
    make(lane);
    EXPECT_THROW((void)mend(), sys::SystemError);
    fs::rename(lane + "-seen", lane);
    fs::create_hard_link(lane, root + "/second-name");
    EXPECT_THROW((void)mend(), sys::SystemError);
    fs::remove(root + "/second-name");
    EXPECT_EQ(mode(lane), fs::perms{0400});
    (void)mend();
    EXPECT_EQ(mode(lane), fs::perms{0600});
  }
  // The same file, in a directory that took the other's place.
  const std::string lane = state + "/git/lane";
  fs::permissions(lane, fs::perms{0400});
  const auto mend = fix_of(root, lane);
  ASSERT_TRUE(mend);
  fs::rename(lane, root + "/other/lane");
  fs::remove(state + "/git");
  fs::create_symlink(root + "/other", state + "/git");
  EXPECT_THROW((void)mend(), sys::SystemError);
  EXPECT_EQ(mode(root + "/other/lane"), fs::perms{0400});
  fs::remove_all(root);
}

TEST(SceneTest, DirectoriesOfOthersAreKnown) {
  EXPECT_EQ(whose_directory("/p/node_modules/.bin").name, "node_modules");
  EXPECT_EQ(whose_directory("/home/a/.pyenv/shims").name, "pyenv");
  EXPECT_TRUE(whose_directory("/home/a/.volta/bin").is_manager);
  EXPECT_EQ(whose_directory("/usr/bin").name, "");
}

TEST(SceneTest, EntriesOfPathAreReadAsTheShellDoes) {
  EXPECT_THAT(entries_of("/a::b:"), testing::ElementsAre("/a", "", "b", ""));
}

}  // namespace
}  // namespace onelane::multicall::doctor
