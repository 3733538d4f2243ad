#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kMakefile = "check:\n\ttrue\n";

/// A project that has adopted onelane, with something to check.
class InitSetupTest : public testing::Test {
 protected:
  void SetUp() override {
    shop_.write("Makefile", kMakefile);
    shop_.must({"init", "--no-direnv"});
  }

  json plan(const std::vector<std::string>& words) {
    std::vector<std::string> all{"init", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = shop_.onelane(all);
    const json said = json::parse(ended.out, nullptr, false);
    EXPECT_EQ(said.value("schema", 0), 1) << ended.out << ended.err;
    return said["plans"][0];
  }

  Workplace shop_;
};

TEST_F(InitSetupTest, AHookFileIsWrittenWhereThereIsNoneAndOnlyThere) {
  const std::pair<std::string, std::string> managers[] = {
      {"--pre-commit", ".pre-commit-config.yaml"},
      {"--husky", ".husky/pre-commit"},
      {"--lefthook", "lefthook.yml"}};
  for (const auto& [option, file] : managers) {
    const Ended first = shop_.must({"init", option});
    EXPECT_THAT(first.out, HasSubstr("wrote     " + file + "  (runs: make check)\n"));
    EXPECT_THAT(shop_.read(file), AllOf(HasSubstr(".onelane/bin"), HasSubstr("make check")));
    const auto before = shop_.tree();
    EXPECT_THAT(shop_.must({"init", option}).out, HasSubstr("already   " + file + "\n"));
    EXPECT_EQ(shop_.tree(), before) << option;

    shop_.write(file, "# mine\n");
    EXPECT_THAT(shop_.must({"init", option}).out,
                AllOf(HasSubstr("kept      " + file + " is yours"), HasSubstr("make check")));
    EXPECT_EQ(shop_.read(file), "# mine\n");
    EXPECT_EQ(plan({option})["changes"][0]["action"], "propose");
  }
}

TEST_F(InitSetupTest, PreCommitGetsOneSerialHook) {
  shop_.must({"init", "--pre-commit"});
  EXPECT_THAT(shop_.read(".pre-commit-config.yaml"),
              AllOf(HasSubstr("require_serial: true"), HasSubstr("language: system")));
}

TEST_F(InitSetupTest, TheCommandIsWhatTheProjectHas) {
  const auto runs = [&] { return plan({"--lefthook", "--dry-run"})["changes"][0]["runs"]; };
  EXPECT_EQ(runs(), "make check");
  shop_.write("Makefile", "test: build\ncheck := 1\n");
  EXPECT_EQ(runs(), "make test");
  shop_.write("Makefile", "all:\n");
  EXPECT_EQ(plan({"--lefthook"})["changes"][0]["action"], "refuse");
  shop_.write("pyproject.toml", "[tool.pytest.ini_options]\n");
  EXPECT_EQ(runs(), "pytest -q");
  shop_.write("package.json", R"({"scripts": {"test": "echo \"Error: no test specified\""}})");
  EXPECT_EQ(runs(), "pytest -q");
  shop_.write("package.json", R"({"scripts": {"test": "vitest run"}})");
  EXPECT_EQ(runs(), "npm test");
  EXPECT_FALSE(shop_.has("lefthook.yml"));
}

TEST_F(InitSetupTest, LefthooksOtherNamesCountToo) {
  shop_.write(".lefthook.toml", "");
  EXPECT_THAT(shop_.must({"init", "--lefthook"}).out, HasSubstr("kept      .lefthook.toml"));
  EXPECT_FALSE(shop_.has("lefthook.yml"));
}

TEST_F(InitSetupTest, ADryRunShowsAllAndWritesNothing) {
  Workplace fresh;
  fresh.write("Makefile", kMakefile);
  const auto before = fresh.tree();
  const Ended ended =
      fresh.must({"init", "--dry-run", "--husky", "--agent", "claude", "--agent", "codex"});
  EXPECT_EQ(fresh.tree(), before);
  EXPECT_THAT(ended.out, AllOf(StartsWith("onelane would adopt:\n"), HasSubstr(".onelane/bin/make"),
                               HasSubstr("would write .husky/pre-commit"),
                               HasSubstr("+++ b/.claude/settings.json"),
                               HasSubstr("+++ b/.codex/config.toml")));
}

TEST_F(InitSetupTest, WithoutATerminalNothingIsAskedOrWritten) {
  const auto before = shop_.tree();
  const Ended ended = shop_.onelane({"init", "--agent", "claude"});
  EXPECT_TRUE(ended.exited_with(64)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.out, HasSubstr("+++ b/.claude/settings.json"));
  EXPECT_THAT(ended.err, HasSubstr("--yes"));
  EXPECT_EQ(shop_.tree(), before);
}

TEST_F(InitSetupTest, ASecondTimeSaysAlready) {
  for (const std::string agent : {"claude", "codex", "cursor", "generic"}) {
    shop_.must({"init", "--agent", agent, "--yes"});
    const auto before = shop_.tree();
    EXPECT_THAT(shop_.must({"init", "--agent", agent}).out,
                HasSubstr("already   .onelane/shell\n"));
    EXPECT_EQ(shop_.tree(), before) << agent;
  }
}

TEST_F(InitSetupTest, WhatElseIsInAFileStaysByteForByteAndComesBackWithUninit) {
  const std::pair<std::string, std::string> files[] = {
      {".claude/settings.json",
       "{\n    \"model\": \"x\",\n    \"hooks\": {\n        \"Stop\": []\n    }\n}"},
      {".vscode/settings.json", "{\n\t\"editor.tabSize\": 4\n}\n"},
      {".codex/config.toml", "model = \"x\"\n[shell_environment_policy]\ninherit = \"all\""}};
  for (const auto& [file, text] : files) {
    fs::create_directory(shop_.path(fs::path{file}.parent_path().string()));
    shop_.write(file, text);
  }
  shop_.must({"init", "--yes", "--agent", "claude", "--agent", "cursor", "--agent", "codex"});
  for (const auto& [file, text] : files) {
    const std::string after = shop_.read(file);
    EXPECT_GT(after.size(), text.size());
    // The insertion is in one piece.
    std::size_t same = 0;
    while (same < text.size() && after[same] == text[same]) {
      ++same;
    }
    EXPECT_THAT(after, testing::EndsWith(text.substr(same))) << after;
  }
  shop_.must({"uninit"});
  for (const auto& [file, text] : files) {
    EXPECT_EQ(shop_.read(file), text);
  }
}

TEST_F(InitSetupTest, AFileInALayoutOfItsOwnStaysAndWhatToAddIsPrinted) {
  const std::pair<std::string, std::string> files[] = {
      {".claude/settings.json",
       "{\n    \"model\": \"x\",   \"hooks\" : {\n        \"Stop\": []\n    }\n}"},
      {".vscode/settings.json", "{\n\t// ours\n\t\"editor.tabSize\": 4\n}\n"}};
  for (const auto& [file, text] : files) {
    fs::create_directory(shop_.path(fs::path{file}.parent_path().string()));
    shop_.write(file, text);
  }
  const Ended ended = shop_.onelane({"init", "--yes", "--agent", "claude", "--agent", "cursor"});
  EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("refused   .claude/settings.json"), HasSubstr("\"SessionStart\": ["),
                    HasSubstr("refused   .vscode/settings.json"),
                    HasSubstr("\"terminal.integrated.env.linux\": {")));
  for (const auto& [file, text] : files) {
    EXPECT_EQ(shop_.read(file), text);
  }
}

TEST_F(InitSetupTest, UninitRemovesWhatIsAsItWasWrittenAndKeepsTheRest) {
  shop_.must({"init", "--yes", "--pre-commit", "--husky", "--agent", "claude", "--agent", "codex"});
  shop_.write(".husky/pre-commit", shop_.read(".husky/pre-commit") + "npm test\n");
  const Ended ended = shop_.onelane({"uninit"});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.err, HasSubstr("kept .husky/pre-commit"));
  EXPECT_TRUE(shop_.has(".husky/pre-commit"));
  for (const char* name : {".pre-commit-config.yaml", ".claude", ".codex", ".onelane"}) {
    EXPECT_FALSE(shop_.has(name)) << name;
  }
}

TEST_F(InitSetupTest, AFileThatSetsPathOrCannotBeParsedIsRefused) {
  const std::pair<std::string, std::string> files[] = {
      {".claude/settings.json", R"({"env": {"PATH": "/usr/bin"}})"},
      {".claude/settings.json", R"({"env": )"},
      {".claude/settings.json", R"({"disableAllHooks": true})"},
      {".claude/settings.json", R"({"hooks": []})"},
      {".vscode/settings.json", R"({"terminal.integrated.env.linux": {"PATH": "/usr/bin"}})"},
      {".vscode/settings.json", R"({"a": 1,})"},
      {".codex/config.toml", "[shell_environment_policy.set]\nPATH = \"/usr/bin\"\n"},
      {".codex/config.toml", "[shell_environment_policy]\nset = { X = \"1\" }\n"},
      {".codex/config.toml", "[shell_environment_policy]\ninclude_only = [\"HOME\"]\n"},
      {".codex/config.toml", "x = \"\n"}};
  for (const auto& [file, text] : files) {
    fs::create_directory(shop_.path(fs::path{file}.parent_path().string()));
    shop_.write(file, text);
    const std::string agent = file.starts_with(".cl")   ? "claude"
                              : file.starts_with(".co") ? "codex"
                                                        : "cursor";
    const Ended ended = shop_.onelane({"init", "--yes", "--agent", agent});
    EXPECT_TRUE(ended.exited_with(1)) << text << describe_status(ended.wait_status);
    EXPECT_THAT(ended.out, AllOf(HasSubstr("refused   " + file), HasSubstr(".onelane"))) << text;
    EXPECT_EQ(shop_.read(file), text);
  }
}

TEST_F(InitSetupTest, NoSymbolicLinkIsFollowed) {
  const std::string elsewhere = shop_.sandbox().root() + "/elsewhere";
  fs::create_directory(elsewhere);
  fs::create_directory_symlink(elsewhere, shop_.path(".claude"));
  EXPECT_TRUE(shop_.onelane({"init", "--yes", "--agent", "claude"}).exited_with(1));
  EXPECT_TRUE(fs::is_empty(elsewhere));
}

/// What `make` is in a shell with BASH_ENV or ENV as an agent sets it, below a PATH without shims.
TEST_F(InitSetupTest, TheFileForShellsPutsTheShimsFirstWhateverAProfileDoes) {
  shop_.must({"init", "--yes", "--agent", "generic"});
  const std::string file = shop_.path(".onelane/shell");
  const std::string shim = shop_.path(".onelane/bin/make") + "\n";
  const std::string path = "PATH=/usr/bin:/bin";
  EXPECT_EQ(
      shop_.run({"/usr/bin/env", path, "BASH_ENV=" + file, "/bin/bash", "-c", "command -v make"})
          .out,
      shim);
  EXPECT_EQ(
      shop_.run({"/usr/bin/env", path, "BASH_ENV=" + file, "/bin/bash", "-lc", "command -v make"})
          .out,
      shim);
  EXPECT_EQ(shop_
                .run({"/bin/sh", "-euc",
                      "unset PATH; . \"$0\"; . \"$0\"; command -v make; echo \"$PATH\"", file})
                .out,
            shim + shop_.path(".onelane/bin") + ":\n");
}

/// The command in .claude/settings.json, run as Claude Code documents it.
TEST_F(InitSetupTest, TheHookOfClaudeFillsItsEnvironmentFileAndFailsNever) {
  shop_.must({"init", "--yes", "--agent", "claude"});
  const json settings = json::parse(shop_.read(".claude/settings.json"));
  const std::string hook = settings["hooks"]["SessionStart"][0]["hooks"][0]["command"];
  const std::string env_file = shop_.sandbox().root() + "/env-file";
  const auto start = [&](const std::string& file) {
    const Ended ended = shop_.run({"/usr/bin/env", "CLAUDE_PROJECT_DIR=" + shop_.path(),
                                   "CLAUDE_ENV_FILE=" + file, "/bin/sh", "-c", hook});
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    EXPECT_EQ(ended.out + ended.err, "");
  };
  start("");
  start(env_file);
  start(env_file);  // a session that goes on
  const Ended ended =
      shop_.run({"/bin/bash", "-c", "PATH=/usr/bin:/bin; . " + env_file + " && command -v make"});
  EXPECT_EQ(ended.out, shop_.path(".onelane/bin/make") + "\n");
  fs::remove(shop_.path(".onelane/shell"));
  start(env_file);
}

}  // namespace
}  // namespace onelane::test
