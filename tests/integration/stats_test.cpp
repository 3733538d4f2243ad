#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/integration/workplace.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kJournal = ".git/onelane/runs.jsonl";

/// The time of the journal's runs, chosen so that no time zone matters: 12:00 UTC.
constexpr std::int64_t kNoon = 1'795'003'200'000;

std::string line_of(const std::string& tool, int second, int waited, const std::string& more = "") {
  // Ordered, since a record is recognised by how its line begins.
  nlohmann::ordered_json line{{"schema", 1},
                              {"id", "abcdefghijk"},
                              {"lane", "/lane"},
                              {"tool", tool},
                              {"argv", {tool, "all"}},
                              {"class", "lane"},
                              {"queued_wall_ms", kNoon + second * 1000},
                              {"waited_ms", waited * 1000},
                              {"started_wall_ms", kNoon + (second + waited) * 1000},
                              {"duration_ms", 10'000},
                              {"code", 0},
                              {"reason", "exited"},
                              {"peak_tree_kb", 100 * 1024},
                              {"peak_process_kb", 50 * 1024},
                              {"peak_processes", 3}};
  if (!more.empty()) {
    line.update(nlohmann::ordered_json::parse(more));
  }
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

class StatsTest : public testing::Test {
 protected:
  StatsTest() {
    shop_.sandbox().set_environment("TZ", "UTC");
    shop_.must({"init"});
  }
  json json_of(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"stats", "--json"});
    return json::parse(shop_.must(words).out);
  }
  Workplace shop_;
};

TEST_F(StatsTest, ARealRunIsCounted) {
  shop_.run({"make", "trace", "ran"});
  const json all = json_of();
  EXPECT_EQ(all.at("schema"), 1);
  EXPECT_EQ(all.at("project"), shop_.path());
  EXPECT_EQ(all.at("runs"), 1);
  EXPECT_EQ(all.at("reasons").at("exited"), 1);
  EXPECT_EQ(all.at("kinds").at(0).at("kind"), "make trace ran");
}

TEST_F(StatsTest, NoJournalIsNoError) {
  EXPECT_EQ(shop_.must({"stats"}).out, "no runs\n");
  EXPECT_EQ(json_of().at("runs"), 0);
}

TEST_F(StatsTest, TextSaysWhatThereIsToKnow) {
  std::string journal;
  for (int i = 0; i < 12; ++i) {
    journal += line_of("make", i * 60, 0) + line_of("pytest", i * 60 + 2, 8);
  }
  journal += line_of("npm", 1000, 0, R"({"reason":"memory","code":137})");
  shop_.write(kJournal, journal);
  const std::string text = shop_.must({"stats"}).out;
  EXPECT_THAT(text, AllOf(HasSubstr("runs     25 from "),
                          HasSubstr("24 exited with 0, 0 with an error, 1 ended by onelane, 0 by a "
                                    "signal\n"),
                          HasSubstr("12 runs waited"), HasSubstr("memory            npm all")));
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("up to 2 at once, with 200 MB"), HasSubstr("12x  pytest all"),
            HasSubstr("  12  ########################################  1m36s in 12 waits\n")));
  EXPECT_THAT(text, HasSubstr("  MEMORY_LIMIT_MB=100 would have let 24 of 25 runs pass"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "no terminal, no colours";
  EXPECT_THAT(shop_.must({"stats", "--color=always"}).out, HasSubstr("\x1b[1m"));
}

TEST_F(StatsTest, OnATerminalNoLineIsWiderThanIt) {
  std::string journal;
  for (int i = 0; i < 12; ++i) {
    journal += line_of("make", i * 60, 0) + line_of("pytest", i * 60 + 2, 8);
  }
  const std::string npm = R"({"argv":["npm","run","a-name-that-is-long-for-a-script"]})";
  journal += line_of("npm", 900, 0, npm) + line_of("npm", 1000, 0, R"({"reason":"memory"})");
  shop_.write(kJournal, journal);
  for (const int columns : {80, 60}) {
    shop_.sandbox().set_environment("COLUMNS", std::to_string(columns));
    Terminal terminal{{shop_.sandbox().root() + "/admin/onelane", "stats", "--color=never"},
                      shop_.sandbox().environment(),
                      shop_.path()};
    const std::string text = terminal.expect("(largest:");
    EXPECT_THAT(text, HasSubstr("COMMAND"));
    EXPECT_THAT(text, HasSubstr("TIME p50"));
    for (const std::string& line : lines_of(text)) {
      const auto is_first_byte = [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
      };
      EXPECT_LE(std::ranges::count_if(line, is_first_byte), columns + 1) << line;  // and "\r"
    }
    (void)terminal.wait();
  }
}

TEST_F(StatsTest, TheSumLineCountsWhatCrashedOrNeverStarted) {
  shop_.write(kJournal, line_of("make", 0, 0) +
                            line_of("make", 20, 0, R"({"reason":"crashed","code":null})") +
                            line_of("make", 40, 0, R"({"reason":"not-started","code":127})"));
  EXPECT_THAT(shop_.must({"stats"}).out,
              HasSubstr("1 exited with 0, 0 with an error, 0 ended by onelane, 0 by a signal, 1 "
                        "crashed, 1 could not be started\n"));
}

TEST_F(StatsTest, ToolSinceAndTopNarrow) {
  shop_.write(kJournal, line_of("make", 0, 0) + line_of("make", 0, 0, R"({"argv":["make","a"]})") +
                            line_of("npm", 0, 0));
  EXPECT_EQ(json_of({"--tool", "make"}).at("runs"), 2);
  EXPECT_EQ(json_of({"--top", "1"}).at("kinds").size(), 1U);
  EXPECT_EQ(json_of({"--since", "1s"}).at("runs"), 0) << "unless the clock says 2026-11-18";
  EXPECT_THAT(shop_.must({"stats", "--top", "1"}).out, HasSubstr("  and 2 more (--top)\n"));
  for (const char* bad : {"7x", "", "d", "-1d", "7sd"}) {
    EXPECT_TRUE(shop_.onelane({"stats", "--since", bad}).exited_with(64)) << bad;
  }
}

TEST_F(StatsTest, HostileAndTornLinesReachNoTerminal) {
  const std::string hostile =
      "a\x1b]0;title\x07\u009b2J</td><script>\n\"\\" + std::string(65536, 'x');
  const json strings{{"argv", {hostile}}, {"tool", hostile}, {"lane", hostile}};
  const json no_id{{"id", hostile}};
  shop_.write(kJournal, line_of("make", 0, 0, strings.dump()) +
                            line_of("make", 1, 0, no_id.dump()) + "\xff\xfe garbage\n" +
                            line_of("make", 1, 0, R"({"queued_wall_ms":-9e9,"ended_wall_ms":-1})") +
                            line_of("make", 2, 0).substr(0, 60));
  const std::string text = shop_.must({"stats"}).out;
  EXPECT_THAT(text, HasSubstr("runs     2 from"));
  EXPECT_TRUE(std::ranges::all_of(
      text, [](unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\n'; }));
  EXPECT_THAT(text, Not(HasSubstr("\u009b")));
  EXPECT_LT(text.size(), 10'000U);
  const std::string json_text = shop_.must({"stats", "--json"}).out;
  EXPECT_EQ(lines_of(json_text).size(), 1U);
  EXPECT_THAT(json_text, Not(HasSubstr("\x1b")));
}

TEST_F(StatsTest, ALaneThatCannotBeWrittenIsRead) {
  shop_.write(kJournal, line_of("make", 0, 0));
  ASSERT_EQ(::chmod(shop_.path(".git/onelane").c_str(), 0500), 0);
  EXPECT_EQ(json_of().at("runs"), 1);
  EXPECT_EQ(::chmod(shop_.path(".git/onelane").c_str(), 0700), 0);
}

TEST(StatsWithoutAProjectTest, SaysSo) {
  Workplace shop;
  const Ended ended = shop.onelane({"stats"});
  EXPECT_TRUE(ended.exited_with(1));
  EXPECT_THAT(ended.err, HasSubstr("no project here has adopted onelane"));
}

}  // namespace
}  // namespace onelane::test
