#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Names in .onelane/bin, sorted.
std::vector<std::string> links_of(const Workplace& shop) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{shop.path(".onelane/bin")}) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

/// PATH with the tools named, and nothing else.
void put_on_path(Workplace& shop, const std::vector<std::string>& names) {
  const std::string directory = shop.sandbox().root() + "/few";
  fs::create_directory(directory);
  for (const std::string& name : names) {
    fs::copy(shop.sandbox().tools() + "/make", directory + "/" + name);
  }
  shop.sandbox().set_environment("PATH", shop.sandbox().shims() + ":" + directory);
}

TEST(InitTest, LinksTheToolsThatExistFurtherDownPathAndNamesTheOthers) {
  Workplace shop;
  put_on_path(shop, {"git", "make"});
  const Ended ended = shop.must({"init"});
  EXPECT_THAT(links_of(shop), ElementsAre("git", "make"));
  EXPECT_THAT(ended.out, HasSubstr("npm (not on PATH)"));
  EXPECT_EQ(fs::canonical(shop.path(".onelane/bin/git")),
            fs::canonical(shop.sandbox().shims() + "/git"));
}

TEST(InitTest, LinksAllFiveWhereTheyAreThere) {
  Workplace shop;
  shop.must({"init"});
  EXPECT_THAT(links_of(shop), ElementsAre("git", "make", "npm", "pytest", "vitest"));
}

TEST(InitTest, WhatItMakesBelowOnelaneIsInvisibleToGit) {
  Workplace shop;
  shop.must({"init", "--no-direnv"});
  EXPECT_EQ(shop.read(".onelane/.gitignore"), "*\n");
  EXPECT_EQ(shop.run({"/usr/bin/git", "status", "--porcelain"}).out, "?? .env.development\n");
}

TEST(InitTest, AdoptsTheProjectSoThatItsToolsTakeTheLane) {
  Workplace shop;
  EXPECT_THAT(shop.must({"explain", "--", "make", "all"}).out, HasSubstr("passes"));
  shop.must({"init"});
  EXPECT_TRUE(fs::is_directory(shop.path(".git/onelane")));
  EXPECT_THAT(shop.must({"explain", "--", "make", "all"}).out, HasSubstr("waits its turn"));
}

TEST(InitTest, TwiceLeavesEveryByteAsItIs) {
  Workplace shop;
  shop.write(".envrc", "use node");
  shop.write(".env.development", "PORT=3000");
  const std::vector<std::string> init{"init", "--tool", "cargo", "--link", "seq"};
  shop.must(init);
  const auto once = shop.tree();
  shop.must(init);
  EXPECT_EQ(shop.tree(), once);
  shop.must({"init"});
  EXPECT_EQ(shop.tree(), once);
}

TEST(InitTest, ThePathComesLastInEnvrcAfterTheLinesThatAreThere) {
  Workplace shop;
  shop.write(".envrc", "use node\nPATH_add node_modules/.bin\n");
  shop.must({"init"});
  EXPECT_EQ(shop.read(".envrc"), "use node\nPATH_add node_modules/.bin\nPATH_add .onelane/bin\n");
}

TEST(InitTest, AnEnvrcWithoutItsLastNewlineKeepsItsLastLineWhole) {
  Workplace shop;
  shop.write(".envrc", "use node");
  shop.must({"init"});
  const auto lines = lines_of(shop.read(".envrc"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "use node");
  EXPECT_THAT(lines[1], StartsWith("PATH_add .onelane/bin"));
}

TEST(InitTest, DirenvIsWantedWhereItIsInstalledOrAskedFor) {
  Workplace shop;
  put_on_path(shop, {"make"});
  EXPECT_THAT(shop.must({"init"}).out, HasSubstr("next: export PATH="));
  EXPECT_FALSE(shop.has(".envrc"));
  EXPECT_THAT(shop.must({"init", "--direnv"}).out, HasSubstr("next: direnv allow"));
  EXPECT_EQ(shop.read(".envrc"), "PATH_add .onelane/bin\n");

  Workplace other;
  put_on_path(other, {"make", "direnv"});
  other.must({"init", "--no-direnv"});
  EXPECT_FALSE(other.has(".envrc"));
  other.must({"init"});
  EXPECT_TRUE(other.has(".envrc"));
}

TEST(InitTest, TheBlockFollowsWhatEnvDevelopmentHasAndSetsNothing) {
  Workplace shop;
  shop.write(".env.development", "PORT=3000\n\nTIMEOUT=5\n");
  shop.must({"init"});
  const std::string text = shop.read(".env.development");
  EXPECT_THAT(text, StartsWith("PORT=3000\n\nTIMEOUT=5\n# onelane\n"));
  EXPECT_THAT(text, testing::EndsWith("# /onelane\n"));
  for (const std::string& line : lines_of(text.substr(text.find("# onelane")))) {
    EXPECT_THAT(line, StartsWith("#"));
  }
}

TEST(InitTest, TheSeedsFiguresAreActiveAtOnceOrOnASecondInit) {
  for (const bool second : {false, true}) {
    Workplace shop;
    if (second) {
      shop.must({"init"});
    }
    shop.must({"init", "--limits=seeds"});
    const std::string settings = shop.must({"settings"}).out;
    EXPECT_THAT(settings, StartsWith("memory_limit_mb=2048 "));
    EXPECT_THAT(settings, HasSubstr("\ntimeout=30m "));
    EXPECT_THAT(lines_of(shop.read(".env.development")),
                testing::IsSupersetOf({"ONELANE_MEMORY_LIMIT_MB=2048", "ONELANE_TIMEOUT=1800"}));
  }
}

TEST(InitTest, WithTheSeedsLimitsKillAllPassesAtOnce) {
  for (const std::string before :
       {"", "queue_timeout = \"5m\"\n", "[tools.make]\npass = [\"x\"]\n"}) {
    Workplace shop;
    if (!before.empty()) {
      shop.write("onelane.toml", before);
    }
    const auto passes = [&] {
      return shop.onelane({"explain", "--", "make", "kill-all"}).out.find("waits its turn") ==
             std::string::npos;
    };
    shop.must({"init", "--limits=seeds", "--dry-run"});
    EXPECT_EQ(shop.read("onelane.toml"), before);
    const std::string said = shop.must({"init", "--limits=seeds"}).out;
    if (before.empty()) {
      EXPECT_EQ(shop.read("onelane.toml"), "[tools.make]  # onelane init\npass = [\"kill-all\"]\n");
      EXPECT_TRUE(passes());
      shop.must({"init", "--tool", "cargo"});  // what it writes itself revokes nothing
      EXPECT_TRUE(passes());
      shop.write("onelane.toml", shop.read("onelane.toml") + "# edited\n");
      EXPECT_FALSE(passes());
      continue;
    }
    // Contents from before init are not trusted unseen.
    EXPECT_FALSE(passes());
    EXPECT_THAT(said, HasSubstr("onelane trust"));
    EXPECT_THAT(shop.read("onelane.toml"), StartsWith(before));
    shop.must({"trust"});
    EXPECT_EQ(passes(), before.find("tools") == std::string::npos);
    EXPECT_THAT(shop.must({"explain", "--", "make", "all"}).out, HasSubstr("waits its turn"));
  }
}

TEST(InitTest, WhatAUserChangedInTheBlockStays) {
  Workplace shop;
  shop.must({"init"});
  std::string text = shop.read(".env.development");
  const std::string limit = "# ONELANE_MAX_PROCESSES=512";
  ASSERT_THAT(text, HasSubstr(limit));
  text.replace(text.find(limit), limit.size(), "ONELANE_MAX_PROCESSES=77");
  shop.write(".env.development", text + "PORT=3000\n");
  shop.must({"init"});
  EXPECT_EQ(shop.read(".env.development"), text + "PORT=3000\n");
  shop.must({"init", "--limits=seeds"});
  const std::string active = shop.read(".env.development");
  EXPECT_THAT(active, HasSubstr("\nONELANE_MAX_PROCESSES=77\n"));
  EXPECT_THAT(active, HasSubstr("\nONELANE_TIMEOUT=1800\n# /onelane\nPORT=3000\n"));
}

TEST(InitTest, AFurtherToolGetsItsEntryAndItsLink) {
  Workplace shop;
  shop.write("onelane.toml", "queue_timeout = \"5m\"\n");
  shop.must({"init", "--tool", "cargo", "--tool", "make"});
  EXPECT_THAT(shop.read("onelane.toml"), StartsWith("queue_timeout = \"5m\"\n"));
  EXPECT_THAT(shop.read("onelane.toml"), HasSubstr("[tools.cargo]"));
  EXPECT_THAT(shop.read("onelane.toml"), Not(HasSubstr("make")));
  EXPECT_TRUE(shop.has(".onelane/bin/cargo"));
  EXPECT_THAT(shop.must({"explain", "--", "cargo", "build"}).out, HasSubstr("waits its turn"));
}

TEST(InitTest, AnEntryThatIsThereKeepsItsClass) {
  Workplace shop;
  shop.write("onelane.toml", "[tools.cargo]\nclass = \"lane\"\npass = [\"--version\"]\n");
  const std::string before = shop.read("onelane.toml");
  shop.must({"init", "--tool", "cargo"});
  EXPECT_EQ(shop.read("onelane.toml"), before);
  EXPECT_TRUE(shop.has(".onelane/bin/cargo"));
}

TEST(InitTest, ANameThatNoToolHasIsRefusedBeforeAnythingIsMade) {
  const std::vector<std::string> names{"",    "a/b",  "../x", "-x",  ".x",  "onelane",
                                       "a b", "a\nb", "a\"b", "a]b", "seq", "a=b"};
  for (const std::string& name : names) {
    Workplace shop;
    const auto before = shop.tree();
    const Ended ended = shop.onelane({"init", "--tool=" + name});
    EXPECT_TRUE(ended.exited_with(64)) << "'" << name << "' " << describe_status(ended.wait_status);
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_THAT(ended.err, StartsWith("onelane: onelane init: ")) << name;
    EXPECT_EQ(shop.tree(), before) << name;
  }
}

TEST(InitTest, SeqIsALinkThatRunsAnyCommandInTheLane) {
  Workplace shop;
  shop.must({"init", "--link", "seq"});
  EXPECT_TRUE(shop.run({shop.path(".onelane/bin/seq"), "sh", "-c", "exit 7"}).exited_with(7));
  EXPECT_TRUE(shop.onelane({"init", "--link", "other"}).exited_with(64));
}

TEST(InitTest, LockFilesBringAnOfferForTheToolsThatGoRound) {
  const std::pair<const char*, const char*> offers[] = {{"uv.lock", "uv"},
                                                        {"package-lock.json", "npx"},
                                                        {"pnpm-lock.yaml", "pnpm"},
                                                        {"yarn.lock", "yarn"}};
  for (const auto& [file, name] : offers) {
    Workplace shop;
    const std::string offer = std::string{"onelane init --tool "} + name;
    EXPECT_THAT(shop.must({"init"}).out, Not(HasSubstr(offer)));
    shop.write(file, "");
    EXPECT_THAT(shop.must({"init"}).out, HasSubstr(offer));
    EXPECT_FALSE(shop.has(std::string{".onelane/bin/"} + name));
    EXPECT_THAT(shop.must({"init", "--tool", name}).out, Not(HasSubstr(offer)));
    EXPECT_TRUE(shop.has(std::string{".onelane/bin/"} + name));
  }
}

TEST(InitTest, WithoutGitTheCurrentDirectoryBecomesTheProject) {
  Workplace shop{Workplace::Kind::Plain};
  shop.must({"init"});
  EXPECT_TRUE(fs::is_directory(shop.path(".onelane/state")));
  fs::create_directories(shop.path("a/b"));
  EXPECT_THAT(shop.must({"explain", "--", "make"}, shop.path("a/b")).out,
              HasSubstr("waits its turn"));
}

TEST(InitTest, ALinkedWorkTreeIsAdoptedWithItsRepositoryAndHasALaneOfItsOwn) {
  Workplace shop;
  shop.git({"commit", "--quiet", "--allow-empty", "-m", "Open the shop"});
  shop.git({"worktree", "add", "--quiet", "../annex"});
  const std::string annex = shop.sandbox().root() + "/annex";
  shop.must({"init"}, annex);
  EXPECT_TRUE(fs::exists(annex + "/.onelane/bin/make"));
  EXPECT_FALSE(shop.has(".onelane"));
  EXPECT_THAT(shop.must({"explain", "--", "make"}).out, HasSubstr("waits its turn"));
  EXPECT_THAT(shop.must({"explain", "--", "make"}, annex).out,
              HasSubstr(".git/worktrees/annex/onelane\n"));
}

TEST(InitTest, AFileInTheLinksPlaceThatIsNotOursStays) {
  Workplace shop;
  shop.write(".onelane/bin/make", "#!/bin/sh\n");
  EXPECT_THAT(shop.must({"init"}).out, HasSubstr(".onelane/bin/make (not made by onelane)"));
  EXPECT_EQ(shop.read(".onelane/bin/make"), "#!/bin/sh\n");
}

TEST(InitTest, OnCiOnlyTheLaneAndTheLinksAreMade) {
  Workplace shop;
  shop.must({"init", "--ci"});
  EXPECT_TRUE(shop.has(".onelane/bin/make"));
  EXPECT_FALSE(shop.has(".env.development"));
  EXPECT_FALSE(shop.has(".envrc"));
}

}  // namespace
}  // namespace onelane::test
