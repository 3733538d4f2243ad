#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "core/sys/file_descriptor.hpp"
#include "tests/integration/doctor_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(DoctorTest, AHealthyProjectHasNothingWrong) {
  Practice shop;
  const auto said = shop.examine();
  EXPECT_EQ(said["wrong"], 0) << said.dump(1);
  const Ended ended = shop.must({"doctor"});
  EXPECT_THAT(ended.out, HasSubstr("nothing is wrong\n"));
  EXPECT_THAT(ended.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shop.must({"doctor", "--color=always"}).out, HasSubstr("\x1b["));
}

TEST(DoctorTest, ItChangesNothing) {
  Practice shop;
  fs::remove(shop.path(".onelane/bin/make"));
  const auto before = shop.tree();
  (void)shop.examine();
  EXPECT_EQ(shop.tree(), before);
}

TEST(DoctorTest, AProjectThatHasNotAdoptedIsToldHow) {
  Workplace shop;
  const Ended ended = shop.onelane({"doctor"});
  EXPECT_TRUE(ended.exited_with(1));
  EXPECT_THAT(ended.out, HasSubstr("onelane init\n"));
  EXPECT_FALSE(shop.has(".git/onelane"));
}

TEST(DoctorTest, AToolThatIsFoundBeforeItsShimIsNamedWithItsOwner) {
  Practice shop;
  shop.write(".venv/pyvenv.cfg", "");
  fs::create_directories(shop.path(".venv/bin"));
  fs::copy(shop.sandbox().tools() + "/pytest", shop.path(".venv/bin/pytest"));
  const std::string before = shop.path(".onelane/bin") + ":" + shop.sandbox().tools() + ":/usr/bin";
  shop.sandbox().set_environment("PATH", shop.path(".venv/bin") + ":" + before);
  const auto found = shop.wrong("path");
  expect_one(found, "pytest is found before the shim (a Python environment)");
  EXPECT_EQ(found[0]["where"], shop.path(".venv/bin"));
  shop.sandbox().set_environment("PATH", before);
  EXPECT_THAT(shop.wrong("path"), IsEmpty());
}

TEST(DoctorTest, AManagerOfVersionsBehindTheShimIsOnlyNoted) {
  Practice shop;
  const std::string shims = shop.sandbox().root() + "/home/.pyenv/shims";
  fs::create_directories(shims);
  fs::copy(shop.sandbox().tools() + "/pytest", shims + "/pytest");
  const std::string rest = shop.sandbox().tools() + ":/usr/bin";
  shop.sandbox().set_environment("PATH", shop.path(".onelane/bin") + ":" + shims + ":" + rest);
  expect_one(shop.notes("wrappers"), "pyenv");
  shop.sandbox().set_environment("PATH", shims + ":" + shop.path(".onelane/bin") + ":" + rest);
  expect_one(shop.wrong("path"), "pyenv");
}

TEST(DoctorTest, EntriesOfPathThatAreNotAbsoluteAreWrong) {
  Practice shop;
  const std::string path = shop.path(".onelane/bin") + ":/usr/bin";
  shop.sandbox().set_environment("PATH", path + ":bin");
  expect_one(shop.wrong("entries"), "relative");
  shop.sandbox().set_environment("PATH", path + ":");
  expect_one(shop.wrong("entries"), "empty");
  shop.sandbox().set_environment("PATH", path);
  EXPECT_THAT(shop.wrong("entries"), IsEmpty());
}

TEST(DoctorTest, LinksThatAreGoneOrLeadNowhereAreMadeAgain) {
  Practice shop;
  fs::remove(shop.path(".onelane/bin/make"));
  fs::remove(shop.path(".onelane/bin/git"));
  fs::create_symlink("/no/such/onelane", shop.path(".onelane/bin/git"));
  EXPECT_EQ(shop.wrong("links").size(), 2U);
  const auto fixed = shop.examine({"--fix"});
  EXPECT_EQ(fixed["fixed"].size(), 2U) << fixed.dump(1);
  EXPECT_EQ(fixed["wrong"], 0) << fixed.dump(1);
  const auto once = shop.tree();
  EXPECT_THAT(shop.examine({"--fix"})["fixed"], IsEmpty());
  EXPECT_EQ(shop.tree(), once);
}

TEST(DoctorTest, ALinkIsReplacedWithoutAMomentWithoutIt) {
  Practice shop;
  const std::string bin = shop.path(".onelane/bin");
  fs::remove(bin + "/git");
  fs::create_symlink("/no/such/onelane", bin + "/git");
  const sys::FileDescriptor watch = sys::lift(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watch.get(), bin.c_str(), IN_DELETE | IN_MOVE), 0);
  EXPECT_EQ(shop.examine({"--fix"})["fixed"].size(), 1U);
  alignas(inotify_event) std::array<char, 16384> events{};
  const long size = ::read(watch.get(), events.data(), events.size());
  std::vector<std::string> seen;
  for (long at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
    seen.push_back(((event->mask & IN_DELETE) != 0 ? "delete " : "move ") +
                   std::string{static_cast<const char*>(event->name)});
    at += static_cast<long>(sizeof(inotify_event) + event->len);
  }
  EXPECT_THAT(seen, testing::ElementsAre("move git.onelane-new", "move git"));
}

TEST(DoctorTest, AFileInALinksPlaceStays) {
  Practice shop;
  fs::remove(shop.path(".onelane/bin/make"));
  shop.write(".onelane/bin/make", "#!/bin/sh\n");
  const auto fixed = shop.examine({"--fix"});
  EXPECT_THAT(fixed["fixed"], IsEmpty());
  expect_one(shop.findings(fixed, "links", "wrong"), "not onelane");
  EXPECT_EQ(shop.read(".onelane/bin/make"), "#!/bin/sh\n");
}

TEST(DoctorTest, AShimOfAnotherBuildIsLinkedAnew) {
  Practice shop;
  const std::string other = shop.sandbox().root() + "/other";
  fs::copy(fs::canonical(shop.path(".onelane/bin/make")), other);
  std::ofstream{other, std::ios::app} << "another build";
  fs::remove(shop.path(".onelane/bin/make"));
  fs::create_symlink(other, shop.path(".onelane/bin/make"));
  expect_one(shop.wrong("links"), "another build");
  EXPECT_EQ(shop.examine({"--fix"})["wrong"], 0);
}

TEST(DoctorTest, SettingsThatCannotBeUsedAreNamed) {
  Practice shop;
  shop.write("onelane.toml", "timeout = \"soon\"\n");
  expect_one(shop.wrong("settings"), "onelane.toml:1");
  shop.write("onelane.toml", "timeout = \"5m\"\n");
  EXPECT_THAT(shop.wrong("settings"), IsEmpty());
}

TEST(DoctorTest, WhatSwitchesOnelaneOffIsNoted) {
  Practice shop;
  shop.sandbox().set_environment("ONELANE", "off");
  shop.write("onelane.toml", "project_sequential_mode = false\n");
  EXPECT_EQ(shop.notes("switches").size(), 2U) << shop.examine().dump(1);
  shop.sandbox().set_environment("ONELANE", std::nullopt);
  shop.write("onelane.toml", "");
  EXPECT_THAT(shop.notes("switches"), IsEmpty());
}

TEST(DoctorTest, APathOfAShimThatIsRememberedIsNotedAndAGoneOneIsWrong) {
  Practice shop;
  const std::string name = "CMAKE_MAKE_PROGRAM:FILEPATH=";
  shop.write("build/dev/CMakeCache.txt", name + shop.path(".onelane/bin/make") + "\n");
  shop.write(".vscode/settings.json", "{\"git.path\": \"/gone/.onelane/bin/git\"}\n");
  const auto said = shop.examine();
  expect_one(shop.findings(said, "caches", "note"), "CMakeCache.txt");
  expect_one(shop.findings(said, "caches", "wrong"), "/gone/.onelane/bin/git, which is gone");
  shop.write("build/dev/CMakeCache.txt", name + "/usr/bin/make\n");
  shop.write(".vscode/settings.json", "{}");
  const auto now = shop.examine();
  EXPECT_THAT(shop.findings(now, "caches", "note"), IsEmpty());
  EXPECT_THAT(shop.findings(now, "caches", "wrong"), IsEmpty());
}

TEST(DoctorTest, FewOpenFilesAreNoted) {
  Practice shop;
  const Ended ended = shop.run({"/bin/bash", "-c", "ulimit -n 100; exec \"$0\" doctor",
                                shop.sandbox().root() + "/admin/onelane"});
  EXPECT_THAT(ended.out, HasSubstr("only 100 files may be open"));
  EXPECT_THAT(shop.notes("machine"), IsEmpty());
}

TEST(DoctorTest, WhatOthersWroteReachesNoTerminalRaw) {
  Practice shop;
  shop.write(".vscode/settings.json", "\"/x\x1b[31m\xff/.onelane/bin/\x1b]0;boo\a\"");
  const Ended ended = shop.onelane({"doctor"});
  EXPECT_THAT(ended.out, HasSubstr("/.onelane/bin/"));
  EXPECT_THAT(ended.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ended.out, Not(HasSubstr("\xff")));
  (void)shop.examine();
}

TEST(DoctorTest, FixAndAuditDoNotGoTogether) {
  Practice shop;
  EXPECT_TRUE(shop.onelane({"doctor", "--fix", "--audit"}).exited_with(64));
}

}  // namespace
}  // namespace onelane::test
