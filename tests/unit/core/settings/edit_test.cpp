#include "core/settings/edit.hpp"

#include <gmock/gmock.h>

#include <random>

#include "core/settings/dotenv.hpp"
#include "core/settings/toml_reader.hpp"

namespace onelane::settings {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kPath = "PATH_add .onelane/bin";

/// Texts made of the lines that matter to the editors, in every combination.
std::vector<std::string> many_texts() {
  const std::vector<std::string> pieces{"A=1",   "# onelane", "# /onelane", "",
                                        "\r",    "TIMEOUT=3", "use flake",  " \t",
                                        "a = 1", "# note",    "# PATH_add", "\xef\xbb\xbfK=v"};
  std::mt19937 random{7};
  std::vector<std::string> texts{"", "\n", "\n\n", "A=1", "A=1\r\n"};
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (auto n = random() % 6; n > 0; --n) {
      text += pieces[random() % pieces.size()] + (n > 1 || random() % 2 == 0 ? "\n" : "");
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(BlockTest, AddingAndRemovingRestoresTheSameBytes) {
  for (const auto& text : many_texts()) {
    const auto added = add_block(text, env_block(true, 16000));
    EXPECT_EQ(add_block(added, "X=1\n"), added);
    EXPECT_THAT(added, EndsWith("# /onelane\n"));
    EXPECT_EQ(remove_block(added), text);
    EXPECT_EQ(remove_block(text), text);
  }
}

TEST(BlockTest, LinesAddedBelowStayWholeLines) {
  const auto added = add_block("A=1", "B=2") + "C=3\n";
  EXPECT_EQ(remove_block(added), "A=1\nC=3\n");
}

TEST(BlockTest, ABlockOfTheUsersOwnStays) {
  const std::string own = "# onelane\nTIMEOUT=3\n# /onelane\n";
  EXPECT_EQ(remove_block(own), own);
}

TEST(BlockTest, OnlyTheSeedsFiguresAreActivated) {
  EXPECT_TRUE(parse_dotenv(add_block("", env_block(false, 16000))).empty());
  const auto entries = parse_dotenv(add_block("", env_block(true, 16000)));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].key + "=" + entries[0].value, "ONELANE_MEMORY_LIMIT_MB=2048");
  EXPECT_EQ(entries[1].key + "=" + entries[1].value, "ONELANE_TIMEOUT=1800");
  EXPECT_TRUE(entries[1].in_block);
  EXPECT_THAT(env_block(false, 16000), HasSubstr("# ONELANE_MEMORY_LIMIT_MB=4000\n"));
  EXPECT_THAT(env_block(false, 16000), Not(HasSubstr("\n\n"))) << "an empty line ends the block";
}

TEST(LineTest, AddingAndRemovingRestoresTheSameBytes) {
  for (const auto& text : many_texts()) {
    const auto added = add_line(text, kPath);
    EXPECT_EQ(add_line(added, kPath), added);
    EXPECT_EQ(remove_line(added, kPath), text);
    EXPECT_EQ(remove_line(text, kPath), text);
  }
  EXPECT_EQ(add_line("use flake\n", kPath), "use flake\nPATH_add .onelane/bin\n");
}

TEST(LineTest, AnIndentedLineStays) {
  const std::string own = "if true; then\n  PATH_add .onelane/bin\nfi\n";
  EXPECT_EQ(remove_line(own, kPath), own);
  EXPECT_EQ(add_line(own, kPath), own);
  EXPECT_EQ(remove_line("PATH_add .onelane/bin\n" + own, kPath), own);
}

TEST(ToolTest, AddingAndRemovingRestoresTheSameBytes) {
  for (const std::string text : {"", "\n", "# note", "timeout = 5", "timeout = 5\n", "a = 1\n\n",
                                 "[tools.uv]\nclass = \"pass\"\n", "x = 1\r\n"}) {
    for (const std::string name : {"cargo", "g++"}) {
      const auto added = add_tool(text, name, "lane");
      ASSERT_TRUE(added) << text;
      EXPECT_EQ(add_tool(*added, name, "pass"), added);
      const auto tools = read_toml(*added).tools;
      EXPECT_TRUE(std::ranges::any_of(tools, [&](const auto& t) { return t.name == name; }));
      EXPECT_EQ(remove_tool(*added, name), text);
    }
  }
}

TEST(ToolTest, TheUsersOwnTextStays) {
  const std::string own = "[tools.cargo]\nclass = \"lane\"\n";
  EXPECT_EQ(add_tool(own, "cargo", "lane"), own);
  EXPECT_EQ(remove_tool(own, "cargo"), own);
  const auto edited = add_tool("", "cargo", "lane").value() + "pass = [\"tree\"]\n";
  EXPECT_EQ(remove_tool(edited, "cargo"), edited);
}

TEST(ToolTest, ATextThatCannotBeAddedToIsDetected) {
  EXPECT_FALSE(add_tool("= broken", "cargo", "lane"));
  EXPECT_FALSE(add_tool("tools = { uv = { class = \"pass\" } }\n", "cargo", "lane"));
  EXPECT_FALSE(add_tool("tools = 1\n", "cargo", "lane"));
}

TEST(PassTest, AWordIsAddedOnceAndRemovedWithItsSection) {
  for (const std::string text : {"", "scope = \"worktree\"", "[tools.npm]\nclass = \"lane\"\n"}) {
    const auto added = add_pass(text, "make", "kill-all");
    ASSERT_TRUE(added) << text;
    EXPECT_THAT(*added, EndsWith("[tools.make]  # onelane init" +
                                 std::string{text.empty() || text.ends_with('\n')
                                                 ? ""
                                                 : "  # the line before had no newline"} +
                                 "\npass = [\"kill-all\"]\n"));
    EXPECT_EQ(add_pass(*added, "make", "kill-all"), added);
    EXPECT_EQ(remove_tool(*added, "make"), text);
  }
}

TEST(PassTest, ASectionOfTheUsersStaysAsItIs) {
  const std::string own = "[tools.make]\npass = [\"docs\"]\n";
  EXPECT_FALSE(add_pass(own, "make", "kill-all"));
  EXPECT_EQ(remove_tool(own, "make"), own);
  const std::string listed = "[tools.make]\npass = [\"docs\", \"kill-all\"]\n";
  EXPECT_EQ(add_pass(listed, "make", "kill-all"), listed);
  EXPECT_FALSE(add_pass("[tools", "make", "kill-all"));
}

}  // namespace
}  // namespace onelane::settings
