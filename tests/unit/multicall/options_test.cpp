#include "multicall/commands/options.hpp"

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
  EXPECT_EQ(fault({"--limit"}), "--limit: 1 required UINT:INT in [1 - 10] missing");
  EXPECT_EQ(fault({"--limit", "11"}), "--limit: Value 11 not in range 1 to 10");
  EXPECT_EQ(fault({"--limit", "x"}), "--limit: Value x not in range 1 to 10");
  EXPECT_EQ(fault({"--priority", "x", "-a"}), "Could not convert: --priority = x");
  EXPECT_EQ(fault({"--priority", "1"}), "--priority requires --all");
  EXPECT_EQ(fault({"--which=few"}), "--which: few not in {some,most}");
  EXPECT_EQ(fault({"--which", "--all"}), "--all excludes --which") << "the first defined is named";
  EXPECT_EQ(fault({""}), "ID: is empty");
  EXPECT_EQ(fault({"--nonesuch"}), "The following argument was not expected: --nonesuch");
  EXPECT_EQ(fault({"--help"}), "help");
}

TEST(OptionsTest, WhatIsRequiredIsMissed) {
  Options options{"", "onelane sample"};
  std::uint64_t place = 0;
  options.add_option("PLACE", place, "from 1")->required()->check(positive());
  EXPECT_EQ(parsed(options, {}), "PLACE is required");
  EXPECT_TRUE(parsed(options, {"0"}).starts_with("PLACE: Value 0 not in range ")) << "positive";
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
