#include "multicall/cli/tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "multicall/cli/command.hpp"
#include "multicall/cli/completion.hpp"
#include "multicall/cli/help.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

int worked = 0;

int sample(std::span<char*> args) {
  Options app{"Show it's [sample]: one: two.", "onelane show part"};
  std::string colour;
  std::string id;
  std::vector<std::string> tools;
  int number = 0;
  bool all = false;
  app.add_flag("-a,--all", all, "every one");
  app.add_option("--color", colour, "when")->check(one_of({"auto", "never"}));
  app.add_option("-L,--limit", number, "at most");
  app.add_option("--tool", tools, "of a tool");
  app.add_option("ID", id, "a run")->check(completes("waiting"));
  app.footer(exit_codes({{1, "no"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  ++worked;
  return 0;
}

constexpr Command kPart{"part", "one part", &sample};
constexpr const Command* kParts[] = {&kPart};
constexpr Command kSecret{"__secret", "not shown", &sample, {}, Group::Hidden};
constexpr Command kShow{"show", "show parts", nullptr, kParts, Group::Steer};
constexpr const Command* kTable[] = {&kSecret, &kShow};

const Argument& option_of(const Verb& verb, std::string_view name) {
  const auto found = std::ranges::find_if(verb.options, [&](const Argument& option) {
    return std::ranges::find(option.names, name) != option.names.end();
  });
  return found == verb.options.end() ? throw std::runtime_error{"no " + std::string{name}} : *found;
}

TEST(TreeTest, CollectingDoesNothingButReadTheDefinitions) {
  worked = 0;
  const std::vector<Verb> tree = collect_tree(kTable);
  EXPECT_EQ(worked, 0);
  ASSERT_EQ(tree.size(), 1U) << "hidden verbs are left out";
  EXPECT_EQ(tree[0].path, "show");
  EXPECT_EQ(tree[0].group, Group::Steer);
  ASSERT_EQ(tree[0].parts.size(), 1U);
  const Verb& part = tree[0].parts[0];
  EXPECT_EQ(part.path, "show part");
  EXPECT_THAT(option_of(part, "--all").names, ElementsAre("-a", "--all"));
  EXPECT_EQ(option_of(part, "--all").value, "");
  EXPECT_THAT(option_of(part, "--color").choices, ElementsAre("auto", "never"));
  EXPECT_EQ(option_of(part, "-L").value, "N");
  EXPECT_FALSE(option_of(part, "-L").repeats);
  EXPECT_EQ(option_of(part, "--tool").completion, "tools") << "by its label";
  EXPECT_TRUE(option_of(part, "--tool").repeats);
  ASSERT_EQ(part.positionals.size(), 1U);
  EXPECT_EQ(part.positionals[0].completion, "waiting") << "as completes() says";
}

TEST(TreeTest, AfterCollectingVerbsWorkAgain) {
  worked = 0;
  (void)collect_tree(kTable);
  EXPECT_EQ(sample({}), 0);
  EXPECT_EQ(worked, 1);
}

TEST(TreeTest, UsageNamesEveryOptionThatFits) {
  const std::vector<Verb> tree = collect_tree(kTable);
  EXPECT_EQ(usage_of(tree[0]), "onelane show part [options]");
  EXPECT_EQ(usage_of(tree[0].parts[0]), "onelane show part [options] [ID]");
  Verb narrow = tree[0].parts[0];
  narrow.options.erase(narrow.options.begin() + 2);
  EXPECT_EQ(usage_of(narrow), "onelane show part [--all] [--color=auto|never] [--tool=TOOL]… [ID]");
  EXPECT_THAT(help_of(tree[0]), HasSubstr("\n\nshow parts\n\n  part          one part\n"));
  EXPECT_THAT(help_of(tree[0].parts[0]),
              AllOf(HasSubstr("\n  -L, --limit N "), HasSubstr("\n  ID "), HasSubstr("-h, --help "),
                    HasSubstr("\n  1    no\n")));
}

TEST(CompletionTest, WordsKeepTheirMeaningInEachShell) {
  EXPECT_EQ(shell_word("it's $(x)"), "'it'\\''s $(x)'");
  const std::vector<Verb> tree = collect_tree(kTable);
  EXPECT_THAT(bash_completion(tree),
              AllOf(HasSubstr("'value show part --color') REPLY='auto never'"),
                    HasSubstr("'place show part 1') REPLY=@waiting"),
                    HasSubstr("'verbs show') REPLY=part"), Not(HasSubstr("__secret"))));
  EXPECT_THAT(zsh_completion(tree),
              AllOf(HasSubstr("'1:ID: _onelane_from waiting'"),
                    HasSubstr("'*--tool=[of a tool]:TOOL: _onelane_from tools'")));
  EXPECT_THAT(fish_completion(tree), HasSubstr("-a 'auto never' -d 'when'"));
}

}  // namespace
}  // namespace onelane::multicall
