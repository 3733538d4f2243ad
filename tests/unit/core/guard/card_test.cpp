#include "core/guard/card.hpp"
#include "tests/support/megabyte.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace onelane::guard {
namespace {

using namespace std::chrono_literals;
using sys::Reason;
using testing::HasSubstr;
using testing::Not;

/// The kill card of a run over its limit; this process stands for the run.
class CardTest : public ::testing::Test {
 protected:
  CardTest() {
    limits_[Reason::Memory] = {2048 * kMb, "/p/.env.development:3", "ONELANE_MEMORY_LIMIT_MB"};
    limits_[Reason::Timeout] = {30'000, "built-in", ""};
    const sys::ProcessId self = sys::self_id();
    sample_.processes = {{self, 1, 2300 * kMb}, {{1, 1}, 0, 5 * kMb}};
    sample_.bytes = 2305 * kMb;
    breach_ = {Reason::Memory, 2300 * kMb, 2048 * kMb, self, 12'400ms};
    curve_.add(0ms, 100 * kMb);
    curve_.add(50ms, 2305 * kMb);
  }
  Card card() {
    Card card = make_card(limits_, breach_, sample_, curve_);
    card.run = "make test";
    return card;
  }

  Limits limits_;
  Sample sample_;
  Breach breach_;
  Curve curve_;
};

TEST_F(CardTest, ThreeLinesSayWhatHappenedWhatUsedMostAndWhatToChange) {
  const auto lines = lines_of(card());
  const std::string pid = "(pid " + std::to_string(::getpid()) + ")";
  EXPECT_THAT(lines[0], HasSubstr("make test: ended: "));
  EXPECT_THAT(lines[0], HasSubstr(pid + " used 2300 MB of 2048 MB (MEMORY_LIMIT_MB), after 12 s"));
  EXPECT_THAT(lines[1], HasSubstr("2 processes, 2305 MB"));
  EXPECT_THAT(lines[1], HasSubstr(pid + " 2300 MB"));
  EXPECT_THAT(lines[2], HasSubstr("/p/.env.development:3"));
  EXPECT_THAT(lines[2], HasSubstr("ONELANE_MEMORY_LIMIT_MB=3500 there"));
}

TEST_F(CardTest, ABuiltInLimitSaysHowToWriteTheLine) {
  breach_ = {Reason::Timeout, 30'001, 30'000, {}, 30'001ms};
  const auto lines = lines_of(card());
  EXPECT_THAT(lines[0], HasSubstr("ran for more than 30 s (TIMEOUT)"));
  EXPECT_THAT(lines[2], HasSubstr("built-in"));
  EXPECT_THAT(lines[2], HasSubstr("ONELANE_TIMEOUT=60 in .env.development"));
}

TEST_F(CardTest, OneProcessIsNamedInTheSingular) {
  sample_.processes.resize(1);
  breach_ = {Reason::TreeMemory, 2300 * kMb, 2048 * kMb, {}, 12'400ms};
  const auto lines = lines_of(card());
  EXPECT_THAT(lines[0], HasSubstr("ended: 1 process used 2300 MB of 2048 MB"));
  EXPECT_THAT(lines[1], HasSubstr("1 process, 2305 MB"));
  breach_ = {Reason::Processes, 2, 1, {}, 12'400ms};
  EXPECT_THAT(lines_of(card())[0], HasSubstr("2 processes, 1 is allowed"));
}

TEST_F(CardTest, InTomlTheLineHasTomlSyntax) {
  limits_[Reason::Memory].place = "/p/onelane.toml:1";
  limits_[Reason::Memory].key = "memory_limit_mb";
  EXPECT_THAT(lines_of(card())[2], HasSubstr("memory_limit_mb = 3500 there"));
}

TEST_F(CardTest, TheJsonIsOneLineWithEverything) {
  const std::string text = json_of(card());
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["cause"], "memory");
  EXPECT_EQ(json["limit"], 2048 * kMb);
  EXPECT_EQ(json["pid"], ::getpid());
  EXPECT_EQ(json["tree"].size(), 2U);
  EXPECT_EQ(json["curve"].size(), 2U);
  EXPECT_EQ(json["limit_place"], "/p/.env.development:3");
}

TEST_F(CardTest, OfAThousandProcessesTheLargestAreShown) {
  for (pid_t pid = 0; pid < 1000; ++pid) {
    sample_.processes.push_back({{1'000'000'000 + pid, 1}, 1, kMb});
  }
  const Card many = card();
  EXPECT_EQ(many.tree.size(), Card::kMostShown);
  EXPECT_EQ(many.count, 1002U);
  EXPECT_THAT(tree_lines_of(many).back(), HasSubstr("962 smaller ones"));
}

TEST_F(CardTest, TheTreeIsIndentedByParent) {
  sample_.processes = {{{30, 1}, 20, 3}, {{20, 1}, 10, 2}, {{10, 1}, 1, 1}, {{40, 1}, 10, 9}};
  const auto text = tree_lines_of(card());
  EXPECT_THAT(text, testing::Contains(testing::StartsWith("  10  ")));
  EXPECT_THAT(text, testing::Contains(testing::StartsWith("    20  ")));
  EXPECT_THAT(text, testing::Contains(testing::StartsWith("      30  ")));
  EXPECT_THAT(text, testing::Contains(testing::StartsWith("    40  ")));
}

TEST(WarningTest, ItSaysHowLongIsLeft) {
  const Warning warning{Reason::TreeMemory, 1000 * kMb, 2000 * kMb, {}, 25.0 * kMb};
  EXPECT_EQ(line_of(warning),
            "its processes together use 1000 MB of 2000 MB (TREE_MEMORY_LIMIT_MB); at 25 MB/s the "
            "limit in 40 s");
}

TEST(SparklineTest, TheLargestIsTheHighestBar) {
  EXPECT_EQ(sparkline({0, 4, 8}, false), "_-#");
  EXPECT_EQ(sparkline({0, 4, 8}, true), "▁▄█");
  EXPECT_EQ(sparkline({}, true), "");
  EXPECT_EQ(sparkline({0, 0}, false), "__");
  EXPECT_EQ(sparkline(std::vector<std::uint64_t>(500, 1), false), std::string(16, '#'));
}

TEST_F(CardTest, ItReadsBackUnchanged) {
  for (const Breach& breach : {breach_, Breach{Reason::Timeout, 30'001, 30'000, {}, 30'001ms}}) {
    breach_ = breach;
    const Card written = card();
    auto read = card_of(json_of(written));
    ASSERT_TRUE(read);
    read->run = written.run;
    EXPECT_EQ(lines_of(*read), lines_of(written));
    EXPECT_EQ(tree_lines_of(*read), tree_lines_of(written));
  }
}

TEST(CardOf, RejectsAnythingElse) {
  for (const char* text : {"", "{", "[]", "7", "{}", R"({"cause":"boredom"})", R"({"cause":7})"}) {
    EXPECT_FALSE(card_of(text)) << text;
  }
  const auto hostile = card_of(
      R"({"cause":"memory","used":-1,"limit":1e99,"pid":99999999999,"tree":[7,{"pid":"x"}],)"
      R"("curve":[-1,"x",3],"curve_step_ms":18446744073709551615,"after_ms":18446744073709551615})");
  ASSERT_TRUE(hostile);
  EXPECT_EQ(hostile->curve, std::vector<std::uint64_t>{3});
  EXPECT_FALSE(lines_of(*hostile)[0].empty());
  EXPECT_EQ(tree_lines_of(*hostile).size(), 1U);
}

}  // namespace
}  // namespace onelane::guard
