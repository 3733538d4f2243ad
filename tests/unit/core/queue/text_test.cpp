#include "core/queue/text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

using nlohmann::json;

Queue full_queue() {
  Queue queue;
  queue.next_id = 9;
  queue.is_closed = true;
  queue.is_stopping = true;
  queue.paused_wall_ms = 5;
  queue.starter = Starter{7, "me", "startstart2", 6};
  queue.entries = {full_entry(3), small_entry(8)};
  return queue;
}

TEST(QueueTextTest, EveryFieldAndEveryByteSurvives) {
  const Queue queue = full_queue();
  const auto read = parse(to_text(queue));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), to_text(queue));
  const Entry& entry = read->entries.at(0);
  const Entry expected = full_entry(3);
  EXPECT_EQ(entry.argv, expected.argv);
  EXPECT_EQ(entry.cwd, expected.cwd);
  ASSERT_NE(entry.environment, nullptr);
  EXPECT_EQ(*entry.environment, *expected.environment);
  EXPECT_EQ(entry.options, expected.options);
  EXPECT_EQ(entry.atoms.which, "pytest-file");
  EXPECT_EQ(entry.atoms.size, 3U);
  EXPECT_TRUE(entry.atoms.is_forced);
  EXPECT_EQ(read->entries.at(1).atoms.which, "");
  EXPECT_EQ(entry.label, expected.label);
  EXPECT_EQ(entry.state, expected.state);
  EXPECT_EQ(entry.code, expected.code);
  EXPECT_EQ(entry.is_deferred, expected.is_deferred);
  EXPECT_EQ(read->entries.at(1).code, std::nullopt);
  EXPECT_EQ(read->entries.at(1).environment, nullptr);
  ASSERT_TRUE(read->starter);
  EXPECT_EQ(read->starter->queue_start, "startstart2");
}

TEST(QueueTextTest, AFileThatSaysBatchIsRead) {
  std::string text = to_text(full_queue());
  const std::string now = "\"queue_start\"";
  for (std::size_t at = 0; (at = text.find(now, at)) != std::string::npos;) {
    text.replace(at, now.size(), "\"batch\"");
  }
  const auto read = parse(text);
  ASSERT_TRUE(read && read->starter);
  EXPECT_EQ(read->starter->queue_start, "startstart2");
  EXPECT_EQ(read->entries.at(0).queue_start, "startstart2");
}

TEST(QueueTextTest, EqualEnvironmentsAreWrittenOnce) {
  Queue queue;
  queue.next_id = 4;
  queue.entries = {full_entry(1), full_entry(2), full_entry(3)};
  queue.entries[2].environment = std::make_shared<Environment>(Environment{"OTHER=1"});
  EXPECT_EQ(json::parse(to_text(queue)).at("environments").size(), 2U);
  EXPECT_EQ(parse(to_text(queue))->entries.at(2).environment->front(), "OTHER=1");
}

TEST(QueueTextTest, ATruncatedTextIsRefused) {
  const std::string text = to_text(full_queue());
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(parse(std::string_view{text}.substr(0, size))) << size;
  }
}

/// The text of a full queue with one changed value.
std::string with(const char* pointer, const json& value) {
  json text = json::parse(to_text(full_queue()));
  text[json::json_pointer{pointer}] = value;
  return text.dump();
}

TEST(QueueTextTest, WrongTypesAndValuesAreRefused) {
  ASSERT_TRUE(parse(with("/closed", false)));
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, json>>{{"/schema", 2},
                                                 {"/next_id", -1},
                                                 {"/next_id", 8},  // an entry has it
                                                 {"/next_id", "9"},
                                                 {"/closed", 1},
                                                 {"/paused_wall_ms", 1e300},
                                                 {"/starter/pid", 1LL << 40},
                                                 {"/starter", json::array()},
                                                 {"/entries/0/atoms", "tools"},
                                                 {"/entries/0/atoms", json::object()},
                                                 {"/entries/0/atoms/size", -1},
                                                 {"/entries/0/atoms/force", "yes"},
                                                 {"/environments", json::object()},
                                                 {"/environments/0/0", 5},
                                                 {"/environments/0/0", std::string{"A=\0B", 4}},
                                                 {"/entries", 5},
                                                 {"/entries/0", nullptr},
                                                 {"/entries/0/id", 0},
                                                 {"/entries/1/id", 3},  // twice
                                                 {"/entries/0/argv", json::array()},
                                                 {"/entries/0/argv", "make"},
                                                 {"/entries/0/argv/0", std::string{"ma\0ke", 5}},
                                                 {"/entries/0/argv/0", {{"hex", "6"}}},
                                                 {"/entries/0/argv/0", {{"hex", "zz"}}},
                                                 {"/entries/0/argv/0", {{"hex", "00"}}},
                                                 {"/entries/0/cwd", "relative"},
                                                 {"/entries/0/state", "done"},
                                                 {"/entries/0/state", 1},
                                                 {"/entries/0/code", "0"},
                                                 {"/entries/0/environment", 1},
                                                 {"/entries/0/environment", -1}}) {
    EXPECT_FALSE(parse(with(pointer, value))) << pointer << " " << value.dump();
  }
}

TEST(QueueTextTest, TextThatIsTooLongOrTooDeepIsRefused) {
  EXPECT_FALSE(parse(std::string(kLongestText + 1, ' ')));
  const std::string deep(100'000, '[');
  EXPECT_FALSE(parse(deep));
  EXPECT_FALSE(parse(with("/deep", json::parse("[[[[[[[[1]]]]]]]]"))));
}

TEST(QueueTextTest, FieldsOfANewerVersionAreIgnored) {
  EXPECT_TRUE(parse(with("/later", {{"a", 1}})));
  EXPECT_TRUE(parse(with("/entries/0/later", 1)));
}

}  // namespace
}  // namespace onelane::queue
