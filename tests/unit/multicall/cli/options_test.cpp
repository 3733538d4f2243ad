#include "multicall/cli/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace onelane::multicall {
namespace {

using testing::ElementsAre;

/// What parse() says about `words`: a fault, "help", or nothing.
std::string parsed(Options& options, std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  const auto end = options.parse(pointers);
  return !end ? "" : end->asks_for_help ? "help" : end->fault;
}

/// One of each kind.
struct Sample {
  Options options{"A sample.", "onelane sample"};
  bool all = false;
  std::string which;
  std::uint64_t limit = 0;
  double interval = 0;
  std::optional<int> priority;
  std::vector<std::string> tools;
  std::vector<std::string> taken;
  std::string id;
  const Option* all_option = options.add_flag("-a,--all", all, "every one");
  Option* which_option = options.add_flag("--which", which, "some", "those");

  Sample() {
    which_option->check(one_of({"some", "most"}))->excludes(all_option);
    options.add_option("-L,--limit", limit, "at most")->check(in_range(1, 10));
    options.add_option("--interval", interval, "seconds")->check(in_range(0.5, 2.0));
    options.add_option("--priority", priority, "higher first")->needs(all_option);
    options.add_option("--tool", tools, "of these")->delimiter(',')->one_value_each();
    options.add_option_function(
        "--take", [this](const std::string& word) { taken.push_back(word); }, "a word");
    options.add_option("ID", id, "a run")->check(not_empty())->check(completes("ids"));
  }
};

TEST(OptionsTest, EveryKindOfValueArrives) {
  Sample sample;
  EXPECT_EQ(parsed(sample.options, {"-aL3", "--interval=1.5", "--priority", "-4", "--tool", "a,b",
                                    "--tool", "c", "--take", "this", "run"}),
            "");
  EXPECT_TRUE(sample.all);
  EXPECT_EQ(sample.limit, 3U);
  EXPECT_EQ(sample.interval, 1.5);
  EXPECT_EQ(sample.priority, -4);
  EXPECT_THAT(sample.tools, ElementsAre("a", "b", "c"));
  EXPECT_THAT(sample.taken, ElementsAre("this"));
  EXPECT_EQ(sample.id, "run");
  EXPECT_EQ(sample.all_option->count(), 1U);
  EXPECT_EQ(sample.which_option->count(), 0U);
}

TEST(OptionsTest, AFlagMayHaveAValueThatItImpliesAlone) {
  Sample alone;
  EXPECT_EQ(parsed(alone.options, {"--which", "run"}), "");
  EXPECT_EQ(alone.which, "some");
  EXPECT_EQ(alone.id, "run") << "only what stands behind = is its value";
  Sample with_value;
  EXPECT_EQ(parsed(with_value.options, {"--which=most"}), "");
  EXPECT_EQ(with_value.which, "most");
}

TEST(OptionsTest, FaultsNameTheOptionAndWhatIsAccepted) {
  const auto fault = [](std::vector<std::string> words) {
    Sample sample;
    return parsed(sample.options, std::move(words));
  };
  EXPECT_EQ(fault({"--limit"}), "--limit needs a value: a number from 1 to 10");
  EXPECT_EQ(fault({"-L"}), "-L needs a value: a number from 1 to 10");
  EXPECT_EQ(fault({"--limit", "11"}), "--limit: '11' is not a number from 1 to 10");
  EXPECT_EQ(fault({"--limit=x"}), "--limit: 'x' is not a number from 1 to 10");
  EXPECT_EQ(fault({"--interval", "3"}), "--interval: '3' is not a number from 0.5 to 2");
  EXPECT_EQ(fault({"--limit", "1", "-L2"}), "-L is given twice; one value is accepted");
  EXPECT_EQ(fault({"--priority", "x", "-a"}), "--priority: 'x' is not a whole number");
  EXPECT_EQ(fault({"--priority", "1"}), "--priority requires --all");
  EXPECT_EQ(fault({"--which=few"}), "--which: 'few' is not one of some, most");
  EXPECT_EQ(fault({"--which="}), "--which needs a value: one of some, most");
  EXPECT_EQ(fault({"--all=much"}), "--all takes no value");
  EXPECT_EQ(fault({"--which", "--all"}), "--all excludes --which") << "the first defined is named";
  EXPECT_EQ(fault({""}), "ID: is empty");
  EXPECT_EQ(fault({"run", "other"}), "'other' is one word too many");
  EXPECT_EQ(fault({"--nonesuch"}), "no option --nonesuch");
  EXPECT_EQ(fault({"--limt=3"}), "no option --limt=3; did you mean --limit?");
  EXPECT_EQ(fault({"-aX"}), "no option -aX");
  EXPECT_EQ(fault({"--nonesuch", "--help"}), "help");
  EXPECT_EQ(fault({"--help"}), "help");
}

TEST(OptionsTest, AValueEndsWithItsWordAndDashesAreNone) {
  Sample empty;
  EXPECT_EQ(parsed(empty.options, {"--take=", "--all", "--tool="}), "");
  EXPECT_THAT(empty.taken, ElementsAre(""));
  EXPECT_TRUE(empty.all) << "not the value of --take";
  for (const char* const name : {"--limit", "--interval", "--priority"}) {
    Sample sample;
    EXPECT_THAT(parsed(sample.options, {std::string{name} + "=", "5"}),
                testing::StartsWith(std::string{name} + ": '' is not a"));
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--take", "--", "run"}, {"--take=--"}, {"--take"}}) {
    Sample sample;
    EXPECT_EQ(parsed(sample.options, words), "--take needs a value");
    EXPECT_THAT(sample.taken, testing::IsEmpty());
  }
}

TEST(OptionsTest, WhatIsRequiredIsMissed) {
  Options options{"", "onelane sample"};
  std::uint64_t place = 0;
  options.add_option("PLACE", place, "from 1")->required()->check(positive());
  EXPECT_EQ(parsed(options, {}), "PLACE is required");
  EXPECT_EQ(parsed(options, {"0"}), "PLACE: '0' is not a number above 0");
  EXPECT_EQ(parsed(options, {"2"}), "");
  EXPECT_EQ(place, 2U);
}

TEST(OptionsTest, ACommandBehindTheOptionsIsLeftAlone) {
  Options options{"", "onelane sample"};
  bool all = false;
  options.add_flag("--all", all, "every one");
  options.prefix_command();
  EXPECT_EQ(parsed(options, {"--all", "--", "make", "--all"}), "");
  EXPECT_EQ(options.remaining(), 2U);
  EXPECT_EQ(parsed(options, {"make", "--all"}), "");
  EXPECT_EQ(options.remaining(), 2U);
  EXPECT_EQ(parsed(options, {"make", "--alll", "--", "--nonesuch"}), "");
  EXPECT_EQ(options.remaining(), 4U);
  for (const std::vector<std::string>& behind :
       {std::vector<std::string>{"--", "make"}, {"make"}, {"--all", "--", "make"}}) {
    std::vector<std::string> words{"--alll"};
    words.insert(words.end(), behind.begin(), behind.end());
    EXPECT_EQ(parsed(options, words), "no option --alll; did you mean --all?");
  }
}

TEST(OptionsTest, TheFinalCheckComesLast) {
  Options options{"", "onelane sample"};
  bool all = false;
  options.add_flag("--all", all, "every one");
  options.final_check([&] { return all ? "not --all today" : ""; });
  EXPECT_EQ(parsed(options, {}), "");
  EXPECT_EQ(parsed(options, {"--all"}), "not --all today");
  EXPECT_EQ(parsed(options, {"--all", "--help"}), "help");
}

}  // namespace
}  // namespace onelane::multicall
