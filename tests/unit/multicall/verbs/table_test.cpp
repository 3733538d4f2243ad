#include "multicall/verbs/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "multicall/cli/help.hpp"
#include "multicall/cli/tree.hpp"

namespace onelane::multicall {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

bool is_sorted(Commands commands) {
  return std::ranges::is_sorted(commands, {}, &Command::name);
}

TEST(TableTest, IsSortedByNameAndSoIsEachPart) {
  EXPECT_TRUE(is_sorted(all_commands()));
  for (const Command* command : all_commands()) {
    EXPECT_TRUE(is_sorted(command->parts)) << command->name;
  }
}

TEST(TableTest, EachVerbOfTheTableHasAllThatItsPageNeeds) {
  const std::vector<Verb> tree = collect_tree(all_commands());
  ASSERT_THAT(tree, Not(IsEmpty()));
  for (const Verb* verb : all_of(tree)) {
    EXPECT_NE(verb->summary, "") << verb->path;
    if (!verb->parts.empty()) {
      continue;
    }
    EXPECT_NE(verb->description, "") << verb->path << " does not call parse_words first";
    EXPECT_THAT(verb->footer, AllOf(HasSubstr("exit codes:\n"), HasSubstr("\n  64 ")))
        << verb->path << " has no app.footer(exit_codes(…))";
    for (const auto* list : {&verb->options, &verb->positionals}) {
      for (const Argument& argument : *list) {
        EXPECT_NE(argument.description, "") << verb->path << ": " << names_of(argument);
        EXPECT_FALSE(argument.description.ends_with('.')) << argument.description;
      }
    }
  }
}

TEST(TableTest, HelpFitsInEightyColumns) {
  const std::vector<Verb> tree = collect_tree(all_commands());
  for (const Verb* verb : all_of(tree)) {
    std::string_view text;
    const std::string help = help_of(*verb);
    for (text = help; !text.empty();) {
      const auto end = std::min(text.find('\n'), text.size());
      const auto line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      const auto wide = std::ranges::count_if(
          line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
      EXPECT_LE(wide, 80) << verb->path << ": " << line;
    }
  }
}

}  // namespace
}  // namespace onelane::multicall
