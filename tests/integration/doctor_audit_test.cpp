#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/doctor_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// "FILE:LINE TOOL" of each call that `doctor --audit` finds.
std::vector<std::string> audit(Practice& shop) {
  const Ended ended = shop.onelane({"doctor", "--audit", "--json"});
  const auto said = nlohmann::json::parse(ended.out, nullptr, false);
  EXPECT_TRUE(said.is_object()) << ended.out << ended.err;
  EXPECT_EQ(said.value("schema", 0), 1);
  std::vector<std::string> out;
  for (const auto& call : said["calls"]) {
    out.push_back(call["file"].get<std::string>() + ":" + std::to_string(call["line"].get<int>()) +
                  " " + call["tool"].get<std::string>());
  }
  EXPECT_TRUE(ended.exited_with(out.empty() ? 0 : 1));
  return out;
}

TEST(DoctorAuditTest, FindsNothingWhereNothingGoesRound) {
  Practice shop;
  EXPECT_THAT(shop.must({"doctor", "--audit"}).out, StartsWith("no call bypasses"));
  const auto said = nlohmann::json::parse(shop.must({"doctor", "--audit", "--json"}).out);
  EXPECT_EQ(said["complete"], true);
}

TEST(DoctorAuditTest, FindsCallsInEveryKindOfFileWithTheChangeForEach) {
  Practice shop;
  shop.write("Makefile", "test:\n\tpython3 -m pytest\n");
  shop.write("sub/Makefile", "all:\n\t/usr/bin/make -C ..\n");
  shop.write("package.json", "{\"scripts\": {\"t\": \"npx vitest run\"}}");
  shop.write(".github/workflows/ci.yml", "steps:\n  - run: uv run pytest\n");
  shop.write(".husky/pre-commit", "node_modules/.bin/vitest run\n");
  shop.write("scripts/x.sh", "sudo make install\n");
  shop.write("onelane.toml", "[tools.cargo]\nclass = \"lane\"\n");
  shop.write("ci/build.sh", "cargo test\n");
  EXPECT_THAT(audit(shop), testing::ElementsAre(".github/workflows/ci.yml:2 pytest",
                                                ".husky/pre-commit:1 vitest", "Makefile:2 pytest",
                                                "ci/build.sh:1 cargo", "package.json:1 vitest",
                                                "scripts/x.sh:1 make", "sub/Makefile:2 make"));
  const Ended ended = shop.onelane({"doctor", "--audit"});
  EXPECT_THAT(ended.out, HasSubstr("Makefile:2: python3 -m pytest\n"));
  EXPECT_THAT(ended.out, HasSubstr("-> onelane init --tool cargo\n"));
  EXPECT_THAT(ended.out, HasSubstr("7 calls bypass the lane in 7 files\n"));
}

TEST(DoctorAuditTest, ReadsNothingOutsideTheProjectNorWhatIsNoTextAndSaysSo) {
  Practice shop;
  const std::string outside = shop.sandbox().root() + "/outside";
  fs::create_directories(outside);
  std::ofstream{outside + "/x.sh"} << "npx vitest run\n";
  fs::create_directories(shop.path("scripts"));
  fs::create_symlink(outside + "/x.sh", shop.path("scripts/x.sh"));
  fs::create_symlink(outside, shop.path("scripts/dir"));
  fs::create_symlink(shop.path("scripts"), shop.path("scripts/loop"));
  shop.write("scripts/binary.sh", std::string("npx vitest run\n\0", 16));
  shop.write("scripts/huge.sh", std::string(2U << 20U, '\n') + "npx vitest run\n");
  shop.write("node_modules/x/package.json", "{\"scripts\": {\"t\": \"npx vitest run\"}}");
  ASSERT_EQ(::mkfifo(shop.path("scripts/fifo.sh").c_str(), 0600), 0);
  fs::create_symlink("ring.sh", shop.path("scripts/ring.sh"));
  shop.write("lefthook.yml", "pre-push: {");
  const Ended ended = shop.onelane({"doctor", "--audit", "--json"});
  EXPECT_TRUE(ended.exited_with(1)) << ended.err;
  const auto said = nlohmann::json::parse(ended.out);
  EXPECT_THAT(said["calls"], IsEmpty());
  EXPECT_EQ(said["complete"], false);
  std::vector<std::string> unread;
  for (const auto& file : said["unread"]) {
    unread.push_back(file["file"].get<std::string>() + ": " + file["why"].get<std::string>());
  }
  EXPECT_THAT(unread,
              testing::ElementsAre(
                  "lefthook.yml: not YAML: line 2: did not find expected node content",
                  "scripts/binary.sh: has a NUL byte, so it is not text",
                  "scripts/fifo.sh: not a regular file", "scripts/huge.sh: larger than 1 MiB",
                  "scripts/ring.sh: a symbolic link, and none is followed",
                  "scripts/x.sh: a symbolic link, and none is followed"));
  EXPECT_THAT(shop.onelane({"doctor", "--audit"}).out,
              HasSubstr("could not read scripts/fifo.sh: not a regular file\n"));
}

TEST(DoctorAuditTest, ALinkToAFileThatIsReadIsNothingUnread) {
  Practice shop;
  shop.write("scripts/a.sh", "true\n");
  fs::create_symlink("a.sh", shop.path("scripts/b.sh"));
  const auto said = nlohmann::json::parse(shop.must({"doctor", "--audit", "--json"}).out);
  EXPECT_EQ(said["complete"], true);
  EXPECT_THAT(said["unread"], IsEmpty());
}

TEST(DoctorAuditTest, SaysThatThereIsMoreThanItLooksAt) {
  Practice shop;
  for (int number = 0; number < 20'000; ++number) {
    ::close(::open(shop.path("x" + std::to_string(number)).c_str(), O_WRONLY | O_CREAT, 0644));
  }
  shop.write("a.sh", "true\n");
  Ended ended = shop.onelane({"doctor", "--audit"});
  EXPECT_TRUE(ended.exited_with(1)) << ended.out;
  EXPECT_THAT(ended.out, StartsWith("no call bypasses the lane in 1 file\n"));
  EXPECT_THAT(ended.out, HasSubstr("stopped after 20000 files and folders"));
  ended = shop.onelane({"doctor", "--audit", "--json"});
  EXPECT_TRUE(ended.exited_with(1));
  // In the order of their names, so that it is the same part every time.
  const auto said = nlohmann::json::parse(ended.out);
  EXPECT_EQ(said["complete"], false);
  EXPECT_EQ(said["files"], nlohmann::json::array({"a.sh"}));
  shop.write("y.sh", "npx vitest run\n");
  EXPECT_EQ(shop.onelane({"doctor", "--audit", "--json"}).out, ended.out);
}

TEST(DoctorAuditTest, HostileFilesReachNoTerminalRaw) {
  Practice shop;
  shop.write("scripts/a.sh", "npx vitest \x1b[31m\xff\a " + std::string(64U << 10U, 'x') + "\n");
  const Ended ended = shop.onelane({"doctor", "--audit"});
  EXPECT_TRUE(ended.exited_with(1));
  EXPECT_THAT(ended.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(ended.out, Not(HasSubstr("\xff")));
  EXPECT_LT(ended.out.size(), 2000U);
  EXPECT_THAT(audit(shop), testing::SizeIs(1));
}

TEST(DoctorAuditTest, RunsNothingOfWhatItReads) {
  Practice shop;
  shop.write("Makefile", "X := $(shell touch made)\nall:\n\t$(shell touch made)\n");
  shop.write("scripts/a.sh", "touch made\n$(touch made)\n");
  (void)audit(shop);
  EXPECT_FALSE(shop.has("made"));
}

}  // namespace
}  // namespace onelane::test
