#include <unistd.h>

#include "tests/integration/doctor_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DoctorShellsTest, ALoginShellThatSetsPathAnewIsWrongUntilItsLineIsThere) {
  Practice shop;
  shop.write_home(".bash_profile", "export PATH=/usr/bin:/bin\n");
  const auto found = shop.wrong("shells");
  expect_one(found, "`bash -lc`");
  EXPECT_EQ(found[0]["where"], shop.sandbox().root() + "/home/.bash_profile");
  // The command in the finding can be pasted as it is.
  EXPECT_TRUE(shop.run({"/bin/bash", "-c", found[0]["command"]}).exited_with(0));
  EXPECT_THAT(shop.wrong("shells"), IsEmpty());
}

TEST(DoctorShellsTest, AFileThatEveryBashReadsIsNamed) {
  Practice shop;
  shop.write_home("env", "PATH=/usr/bin:/bin\n");
  shop.sandbox().set_environment("BASH_ENV", shop.sandbox().root() + "/home/env");
  EXPECT_THAT(nlohmann::json(shop.wrong("shells")).dump(), HasSubstr("BASH_ENV"));
}

TEST(DoctorShellsTest, AnAliasOrFunctionInTheShimsPlaceIsWrong) {
  Practice shop;
  shop.write_home(".bash_profile", shop.read("../home/.bash_profile") + "make() { :; }\n");
  expect_one(shop.wrong("shells"), "make is a function or an alias");
}

TEST(DoctorShellsTest, AShellThatHangsIsGivenUpAndLeavesNothing) {
  Practice shop;
  shop.write_home(".bash_profile", "sleep 1000\n");
  const auto said = shop.examine();
  expect_one(shop.findings(said, "shells", "note"), "did not answer");
  EXPECT_THAT(shop.sandbox().wait_until_empty(kDeadline), IsEmpty());
}

TEST(DoctorShellsTest, WhatAProfilePrintsIsNoAnswer) {
  Practice shop;
  shop.write_home(".bash_profile",
                  shop.read("../home/.bash_profile") +
                      "echo hello; echo onelane-doctor:; echo onelane-doctor:99:x; "
                      "echo onelane-doctor:-1:x\n");
  EXPECT_THAT(shop.wrong("shells"), IsEmpty());
}

TEST(DoctorShellsTest, WithoutShimsOnPathItIsSaidOnceForEveryShell) {
  Practice shop;
  shop.sandbox().set_environment("PATH", shop.sandbox().tools() + ":/usr/bin:/bin");
  const auto said = shop.examine();
  expect_one(shop.findings(said, "path", "wrong"), "no shim of git");
  EXPECT_THAT(shop.findings(said, "shells", "wrong"), IsEmpty());
}

TEST(DoctorAgentsTest, TheShellsOfEachAgentReachTheShims) {
  Practice shop;
  // What a login shell does on Debian.
  shop.write_home(".bash_profile", "export PATH=/usr/bin:/bin\n");
  for (const std::string agent : {"claude", "codex", "cursor"}) {
    shop.must({"init", "--yes", "--agent", agent});
  }
  const auto said = shop.examine();
  EXPECT_THAT(shop.findings(said, "agents", "wrong"), IsEmpty());
  const auto fine = shop.findings(said, "agents", "ok");
  ASSERT_EQ(fine.size(), 3U);
  EXPECT_THAT(fine[0]["what"], HasSubstr("Claude Code's `bash -c` and `bash -lc`"));
}

TEST(DoctorAgentsTest, AFileThatIsGoneOrChangedIsWrongAndNeverRun) {
  Practice shop;
  shop.must({"init", "--yes", "--agent", "claude"});
  shop.write(".onelane/shell", "touch " + shop.path("ran") + "\n");
  expect_one(shop.wrong("agents"), "onelane init --agent claude");
  EXPECT_FALSE(shop.has("ran"));
  shop.must({"init", "--yes", "--agent", "claude"});
  EXPECT_THAT(shop.wrong("agents"), IsEmpty());
}

TEST(DoctorAgentsTest, AnAgentWithSettingsThatKnowOfNoShimsIsNoted) {
  Practice shop;
  fs::create_directory(shop.path(".claude"));
  shop.write(".claude/settings.json", "{}\n");
  expect_one(shop.notes("agents"), "onelane init --agent claude");
}

class DoctorDirenvTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/direnv", X_OK) != 0) {
      GTEST_SKIP() << "direnv is not installed";
    }
    shop_.must({"init"});
  }
  void allow() { ASSERT_TRUE(shop_.run({"/usr/bin/direnv", "allow"}).exited_with(0)); }
  Practice shop_;
};

TEST_F(DoctorDirenvTest, IsWrongUntilItIsAllowed) {
  expect_one(shop_.wrong("direnv"), "direnv allow");
  allow();
  EXPECT_THAT(shop_.wrong("direnv"), IsEmpty());
  EXPECT_EQ(shop_.examine()["wrong"], 0);
}

TEST_F(DoctorDirenvTest, ALineAfterOursThatPutsOthersFirstIsSeen) {
  fs::create_directories(shop_.path("other"));
  fs::copy(shop_.sandbox().tools() + "/pytest", shop_.path("other/pytest"));
  shop_.write(".envrc", shop_.read(".envrc") + "PATH_add other\n");
  allow();
  const auto said = shop_.examine();
  expect_one(shop_.findings(said, "direnv", "wrong"), shop_.path("other/pytest"));
  expect_one(shop_.findings(said, "envrc", "note"), "PATH_add other");
  (void)shop_.examine({"--fix"});
  EXPECT_EQ(shop_.read(".envrc"), "PATH_add other\nPATH_add .onelane/bin\n");
  allow();
  EXPECT_EQ(shop_.examine()["wrong"], 0);
}

TEST_F(DoctorDirenvTest, OurLineIsWrittenAgainWhereInitHadWrittenIt) {
  shop_.write(".envrc", "use node\n");
  expect_one(shop_.wrong("envrc"), "PATH_add .onelane/bin");
  (void)shop_.examine({"--fix"});
  EXPECT_EQ(shop_.read(".envrc"), "use node\nPATH_add .onelane/bin\n");
  EXPECT_THAT(shop_.examine({"--fix"})["fixed"], IsEmpty());
}

TEST(DoctorEnvrcTest, AFileThatInitDidNotWriteToIsLeftAlone) {
  Practice shop;
  shop.write(".envrc", "use node\n");
  EXPECT_THAT(shop.examine({"--fix"})["fixed"], IsEmpty());
  EXPECT_EQ(shop.read(".envrc"), "use node\n");
}

TEST(DoctorEnvrcTest, OurLineIsNotTakenOutOfABlock) {
  Practice shop;
  shop.must({"init", "--direnv"});
  const std::string own = "if true; then\n  PATH_add .onelane/bin\nfi\nPATH_add other\n";
  shop.write(".envrc", own);
  const auto said = shop.examine({"--fix"});
  EXPECT_THAT(said["fixed"], IsEmpty());
  expect_one(shop.findings(said, "envrc", "note"), "PATH_add other");
  EXPECT_EQ(shop.read(".envrc"), own);
  // Unindented copies are all moved, and the file keeps its mode.
  shop.write(".envrc", "PATH_add .onelane/bin\nPATH_add .onelane/bin\nPATH_add other\n");
  fs::permissions(shop.path(".envrc"), fs::perms{0640});
  EXPECT_EQ(shop.examine({"--fix"})["fixed"].size(), 1U);
  EXPECT_EQ(shop.read(".envrc"), "PATH_add other\nPATH_add .onelane/bin\n");
  EXPECT_EQ(fs::status(shop.path(".envrc")).permissions(), fs::perms{0640});
}

TEST(DoctorEnvrcTest, WhatWasLaidWhereTheNewFileIsMadeIsNotWrittenTo) {
  Practice shop;
  shop.must({"init", "--direnv"});
  shop.write("victim", "of value\n");
  fs::create_hard_link(shop.path("victim"), shop.path(".envrc.onelane-new"));
  shop.write(".envrc", "PATH_add .onelane/bin\nPATH_add other\n");
  EXPECT_EQ(shop.examine({"--fix"})["fixed"].size(), 1U);
  EXPECT_EQ(shop.read("victim"), "of value\n");
  EXPECT_EQ(shop.read(".envrc"), "PATH_add other\nPATH_add .onelane/bin\n");
  EXPECT_FALSE(shop.has(".envrc.onelane-new"));
}

}  // namespace
}  // namespace onelane::test
