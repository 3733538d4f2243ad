#include "multicall/cli/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace onelane::multicall {
namespace {

using testing::ElementsAre;

/// What parse() returns for `words`: a fault, "help", or nothing.
std::string parsed(Options& options, std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  const auto end = options.parse(pointers);
  return !end ? "" : end->asks_for_help ? "help" : end->fault;
}

/// One option of each kind.
struct Sample {
  Options options{"A sample.", "onelane sample"};
  bool all = false;
  std::string which;
  std::uint64_t limit = 0;
  std::optional<std::uint64_t> tail;
  std::optional<int> priority;
  std::vector<std::string> tools;
  std::vector<std::string> taken;
  std::string id;

  Sample() {
    options.add_flag("-a,--all", all, "every one");
    options.add_flag("--which", which, "some", "those")
        ->check(one_of({"some", "most"}))
        ->excludes("--all");
    options.add_option("-L,--limit", limit, "at most")->check(in_range(1, 10));
    options.add_option("--tail", tail, "the last lines");
    options.add_option("--priority", priority, "higher first")
        ->check(in_range(-100, 100))
        ->needs("--all");
    options.add_option("--tool", tools, "of these")->delimiter(',');
    options.add_option_function(
        "--take", [this](const std::string& word) { taken.push_back(word); }, "a word");
    options.add_option("ID", id, "a run")->check(not_empty())->check(completes("ids"));
  }
};

TEST(OptionsTest, EveryKindOfValueArrives) {
  Sample sample;
  EXPECT_EQ(parsed(sample.options, {"-aL3", "--tail=15", "--priority", "-4", "--tool", "a,b",
                                    "--tool", "c", "--take", "this", "run"}),
            "");
  EXPECT_TRUE(sample.all);
  EXPECT_EQ(sample.limit, 3U);
  EXPECT_EQ(sample.tail, 15U);
  EXPECT_EQ(sample.priority, -4);
  EXPECT_THAT(sample.tools, ElementsAre("a", "b", "c"));
  EXPECT_THAT(sample.taken, ElementsAre("this"));
  EXPECT_EQ(sample.id, "run");
}

TEST(OptionsTest, AFlagWithoutItsValueUsesTheImpliedOne) {
  Sample alone;
  EXPECT_EQ(parsed(alone.options, {"--which", "run"}), "");
  EXPECT_EQ(alone.which, "some");
  EXPECT_EQ(alone.id, "run") << "only the text after = is its value";
  Sample with_value;
  EXPECT_EQ(parsed(with_value.options, {"--which=most"}), "");
  EXPECT_EQ(with_value.which, "most");
}

TEST(OptionsTest, FaultsNameTheOptionAndWhatIsAccepted) {
  const auto fault = [](std::vector<std::string> words) {
    Sample sample;
    return parsed(sample.options, std::move(words));
  };
  EXPECT_EQ(fault({"--limit"}), "--limit needs a value");
  EXPECT_EQ(fault({"-L"}), "-L needs a value");
  EXPECT_EQ(fault({"--limit", "11"}), "--limit: Value 11 not in range 1 to 10");
  EXPECT_EQ(fault({"--limit=x"}), "--limit: Value x not in range 1 to 10");
  for (const char* tail : {"x", "-1", "0x10", " 1", ""}) {
    EXPECT_EQ(fault({"--tail", tail}), "--tail: '" + std::string{tail} + "' is not a whole number");
  }
  EXPECT_EQ(fault({"--limit", "1", "-L2"}), "--limit is given twice; one value is accepted");
  EXPECT_EQ(fault({"--priority", "x", "-a"}), "--priority: Value x not in range -100 to 100");
  EXPECT_EQ(fault({"--priority", "1"}), "--priority requires --all");
  EXPECT_EQ(fault({"--which=few"}), "--which: few not in {some,most}");
  EXPECT_EQ(fault({"--which="}), "--which:  not in {some,most}");
  EXPECT_EQ(fault({"--all=much"}), "Could not convert: --all = much");
  EXPECT_EQ(fault({"--which", "--all"}), "--all excludes --which")
      << "the one that was defined first is named";
  EXPECT_EQ(fault({""}), "ID: is empty");
  EXPECT_EQ(fault({"run", "other"}), "unexpected argument 'other'");
  EXPECT_EQ(fault({"--nonesuch"}), "no option --nonesuch");
  EXPECT_EQ(fault({"--limt=3"}), "no option --limt=3; did you mean --limit?");
  EXPECT_EQ(fault({"-aX"}), "no option -X");
  EXPECT_EQ(fault({"--nonesuch", "--help"}), "help");
  EXPECT_EQ(fault({"--help"}), "help");
  EXPECT_EQ(fault({"--which=a\n\x1b[2J"}), "--which: a??[2J not in {some,most}") << "one line";
}

TEST(OptionsTest, AnOptionTakesOneArgumentAndNeverDashes) {
  Sample empty;
  EXPECT_EQ(parsed(empty.options, {"--take=", "--all", "--tool="}), "");
  EXPECT_THAT(empty.taken, ElementsAre(""));
  EXPECT_TRUE(empty.all) << "not the value of --take";
  Sample dashed;
  EXPECT_EQ(parsed(dashed.options, {"--take", "--tool=", "--", "--id="}), "");
  EXPECT_THAT(dashed.taken, ElementsAre("--tool="));
  EXPECT_EQ(dashed.id, "--id=");
  for (const char* const name : {"--limit", "--tail", "--priority"}) {
    Sample sample;
    EXPECT_THAT(parsed(sample.options, {std::string{name} + "=", "5"}),
                testing::StartsWith(std::string{name} + ": "));
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--take", "--", "run"}, {"--take=--"}, {"--take"}}) {
    Sample sample;
    EXPECT_EQ(parsed(sample.options, words),
              words.back() == "--take" ? "--take needs a value" : "--take: '--' is not a value");
    EXPECT_THAT(sample.taken, testing::IsEmpty());
  }
}

TEST(OptionsTest, AMissingRequiredOptionIsAFault) {
  Options options{"", "onelane sample"};
  std::uint64_t place = 0;
  options.add_option("PLACE", place, "from 1")->required()->check(in_range(1, 9));
  EXPECT_EQ(parsed(options, {}), "PLACE is required");
  EXPECT_EQ(parsed(options, {"0"}), "PLACE: Value 0 not in range 1 to 9");
  EXPECT_EQ(parsed(options, {"2"}), "");
  EXPECT_EQ(place, 2U);
}

TEST(OptionsTest, ACommandAfterTheOptionsIsLeftAlone) {
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
