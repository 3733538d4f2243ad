#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

using Files = std::vector<std::pair<std::string, std::string>>;

/// What a project may have before `init`.
const std::vector<Files>& projects() {
  static const std::vector<Files> all{
      {},
      {{".envrc", "use node\n"}, {".env.development", "PORT=3000\n"}},
      {{".envrc", "use node"},
       {".env.development", "PORT=3000"},
       {"onelane.toml", "lanes = \"one\""}},
      {{".envrc", ""}, {".env.development", ""}, {"onelane.toml", ""}},
      {{".envrc", "\n\n"}, {".env.development", "A=1\r\nB=2\r\n"}, {"onelane.toml", "# empty\n\n"}},
      {{".env.development", "# onelane\nTIMEOUT=5\n# /onelane\n"}},
      {{".envrc", "PATH_add .onelane/bin\n"}},
  };
  return all;
}

TEST(UninitTest, TheTreeIsAsItWasBeforeInit) {
  const std::vector<std::vector<std::string>> ways{
      {"init"},
      {"init", "--limits=seeds"},
      {"init", "--tool", "cargo", "--link", "seq", "--direnv"},
      {"init", "--tool", "cargo", "--tool", "ant", "--limits=seeds"},
      {"init", "--ci"}};
  for (const Files& files : projects()) {
    for (const auto& init : ways) {
      Workplace shop;
      for (const auto& [name, text] : files) {
        shop.write(name, text);
      }
      const auto before = shop.tree();
      shop.must(init);
      shop.must({"init"});
      shop.must({"init", "--limits=seeds"});
      shop.must({"uninit"});
      EXPECT_EQ(shop.tree(), before) << init.back();
    }
  }
}

TEST(UninitTest, TheTreeIsAsItWasWithoutGitToo) {
  Workplace shop{Workplace::Kind::Plain};
  shop.write(".envrc", "use node");
  const auto before = shop.tree();
  shop.must({"init", "--tool", "cargo"});
  shop.must({"uninit"});
  EXPECT_EQ(shop.tree(), before);
}

TEST(UninitTest, TheTreeIsAsItWasAfterRunsToo) {
  Workplace shop;
  const auto before = shop.tree();
  shop.must({"init"});
  EXPECT_TRUE(shop.run({"make", "out", "built"}).exited_with(0));
  EXPECT_TRUE(shop.onelane({"run", "--", "true"}).exited_with(0));
  shop.must({"uninit"});
  EXPECT_EQ(shop.tree(), before);
}

TEST(UninitTest, TheBlockGoesEvenWhenTheFolderWasCleanedInBetween) {
  Workplace shop;
  shop.write(".env.development", "PORT=3000\n");
  shop.write(".envrc", "use node\n");
  const auto before = shop.tree();
  shop.must({"init"});
  fs::remove_all(shop.path(".onelane"));
  shop.must({"init"});
  shop.must({"uninit"});
  EXPECT_EQ(shop.tree(), before);
}

TEST(UninitTest, WhatOthersPutBesideOurLinesStays) {
  Workplace shop;
  shop.must({"init", "--direnv", "--tool", "cargo"});
  shop.write(".envrc", shop.read(".envrc") + "export PORT=3000\n");
  shop.write(".env.development", shop.read(".env.development") + "PORT=3000\n");
  shop.write("onelane.toml", shop.read("onelane.toml") + "\n[tools.go]\nclass = \"lane\"\n");
  shop.write(".onelane/bin/mine", "#!/bin/sh\n");
  shop.must({"uninit"});
  EXPECT_EQ(shop.read(".envrc"), "export PORT=3000\n");
  EXPECT_EQ(shop.read(".env.development"), "PORT=3000\n");
  EXPECT_THAT(shop.read("onelane.toml"), HasSubstr("[tools.go]\nclass = \"lane\"\n"));
  EXPECT_THAT(shop.read("onelane.toml"), testing::Not(HasSubstr("cargo")));
  EXPECT_EQ(shop.read(".onelane/bin/mine"), "#!/bin/sh\n");
  EXPECT_FALSE(shop.has(".onelane/bin/make"));
}

TEST(UninitTest, WhereNothingWasAdoptedItSaysSoAndSucceeds) {
  Workplace shop;
  const auto before = shop.tree();
  const Ended ended = shop.onelane({"uninit"});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.err, HasSubstr("nothing to remove"));
  EXPECT_EQ(shop.tree(), before);
}

TEST(UninitTest, RefusesWhileTheLaneIsHeld) {
  Workplace shop;
  shop.must({"init"});
  const auto before = shop.tree();
  Gate gate{shop.sandbox()};
  Running holder = shop.start({"make", "trace", "ready", "hold-until", gate.path()});
  shop.sandbox().wait_for("ready");
  const Ended refused = shop.onelane({"uninit"});
  EXPECT_TRUE(refused.exited_with(1)) << describe_status(refused.wait_status);
  EXPECT_THAT(refused.err, HasSubstr("nothing removed"));
  EXPECT_TRUE(shop.has(".onelane/bin/make"));
  EXPECT_EQ(shop.read(".env.development"),
            before.at(".env.development").substr(before.at(".env.development").find('\n') + 1));
  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
  shop.must({"uninit"});
  EXPECT_FALSE(shop.has(".onelane"));
}

TEST(UninitTest, RefusesWhileALinkedWorkTreeHasARun) {
  Workplace shop;
  shop.must({"init"});
  shop.git({"commit", "--quiet", "--allow-empty", "-m", "Open the shop"});
  shop.git({"worktree", "add", "--quiet", "../annex"});
  Gate gate{shop.sandbox()};
  Start there;
  there.directory = shop.sandbox().root() + "/annex";
  Running holder =
      shop.sandbox().start({"make", "trace", "ready", "hold-until", gate.path()}, there);
  shop.sandbox().wait_for("ready");
  EXPECT_TRUE(shop.onelane({"uninit"}).exited_with(1));
  EXPECT_TRUE(shop.has(".onelane/bin/make"));
  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
  shop.must({"uninit"});
  EXPECT_FALSE(shop.has(".git/worktrees/annex/onelane"));
}

}  // namespace
}  // namespace onelane::test
