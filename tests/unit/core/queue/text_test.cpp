#include "core/queue/text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

using nlohmann::json;

Queue full_head() {
  Queue queue;
  queue.next_id = 9;
  queue.is_closed = true;
  queue.is_stopping = true;
  queue.paused_wall_ms = 5;
  queue.starter = Starter{7, "me", "startstart2", 6};
  return queue;
}

/// What `line` holds, which must be a record of that kind.
template <class Kind>
Kind read_back(const std::string& line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  auto record = parse_record(line);
  EXPECT_TRUE(record) << line;
  return std::get<Kind>(std::move(record.value()));
}

void expect_same(const Entry& entry, const Entry& expected) {
  EXPECT_EQ(entry.id, expected.id);
  EXPECT_EQ(entry.argv, expected.argv);
  EXPECT_EQ(entry.cwd, expected.cwd);
  EXPECT_EQ(entry.options, expected.options);
  EXPECT_EQ(entry.atoms.which, expected.atoms.which);
  EXPECT_EQ(entry.atoms.size, expected.atoms.size);
  EXPECT_EQ(entry.atoms.is_forced, expected.atoms.is_forced);
  EXPECT_EQ(entry.label, expected.label);
  EXPECT_EQ(entry.user, expected.user);
  EXPECT_EQ(entry.agent, expected.agent);
  EXPECT_EQ(entry.is_deferred, expected.is_deferred);
  EXPECT_EQ(entry.state, expected.state);
  EXPECT_EQ(entry.added_wall_ms, expected.added_wall_ms);
  EXPECT_EQ(entry.started_wall_ms, expected.started_wall_ms);
  EXPECT_EQ(entry.ended_wall_ms, expected.ended_wall_ms);
  EXPECT_EQ(entry.code, expected.code);
  EXPECT_EQ(entry.run, expected.run);
  EXPECT_EQ(entry.queue_start, expected.queue_start);
}

TEST(QueueTextTest, EveryFieldAndEveryByteOfAnEntrySurvives) {
  const auto record = read_back<EntryRecord>(to_line(full_entry(3), 4));
  expect_same(record.entry, full_entry(3));
  EXPECT_EQ(record.environment, 4U);
  EXPECT_EQ(record.entry.environment, nullptr);
  const auto small = read_back<EntryRecord>(to_line(small_entry(8), std::nullopt));
  expect_same(small.entry, small_entry(8));
  EXPECT_EQ(small.environment, std::nullopt);
}

TEST(QueueTextTest, AnEnvironmentSurvivesByteForByte) {
  const Environment environment = *full_entry(1).environment;
  EXPECT_EQ(read_back<EnvironmentRecord>(to_line(environment)).environment, environment);
}

TEST(QueueTextTest, TheHeadHasAllOfTheQueueButItsEntries) {
  const auto head = read_back<HeadRecord>(to_line(full_head(), "abc"));
  EXPECT_EQ(head.imported, "abc");
  EXPECT_EQ(head.queue.next_id, 9U);
  EXPECT_TRUE(head.queue.is_closed);
  EXPECT_TRUE(head.queue.is_stopping);
  EXPECT_EQ(head.queue.paused_wall_ms, 5);
  ASSERT_TRUE(head.queue.starter);
  EXPECT_EQ(head.queue.starter->pid, 7);
  EXPECT_EQ(head.queue.starter->user, "me");
  EXPECT_EQ(head.queue.starter->queue_start, "startstart2");
  EXPECT_EQ(head.queue.starter->since_wall_ms, 6);
}

TEST(QueueTextTest, MarksAreReadBack) {
  const auto begin = read_back<BeginRecord>(to_line(BeginRecord{3, "startstart2", 5}));
  EXPECT_EQ(begin.id, 3U);
  EXPECT_EQ(begin.queue_start, "startstart2");
  EXPECT_EQ(begin.started_wall_ms, 5);
  const auto end = read_back<EndRecord>(to_line(EndRecord{3, State::Failed, 2, "abcdefghijk", 6}));
  EXPECT_EQ(end.id, 3U);
  EXPECT_EQ(end.state, State::Failed);
  EXPECT_EQ(end.code, 2);
  EXPECT_EQ(end.run, "abcdefghijk");
  EXPECT_EQ(end.ended_wall_ms, 6);
  const auto cut = read_back<EndRecord>(to_line(EndRecord{3, State::Interrupted, {}, "", 6}));
  EXPECT_EQ(cut.code, std::nullopt);
}

TEST(QueueTextTest, ATruncatedRecordIsRefused) {
  const std::string line = to_line(full_entry(3), 0);
  for (std::size_t size = 0; size + 1 < line.size(); ++size) {
    EXPECT_FALSE(parse_record(std::string_view{line}.substr(0, size))) << size;
  }
}

/// A line with one changed value.
std::string with(const std::string& line, const char* pointer, const json& value) {
  json text = json::parse(line);
  text[json::json_pointer{pointer}] = value;
  return text.dump();
}

TEST(QueueTextTest, WrongTypesAndValuesAreRefused) {
  const std::string entry = to_line(full_entry(3), 0);
  ASSERT_TRUE(parse_record(with(entry, "/entry/label", "other")));
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, json>>{{"/entry", nullptr},
                                                 {"/entry/atoms", "tools"},
                                                 {"/entry/atoms", json::object()},
                                                 {"/entry/atoms/size", -1},
                                                 {"/entry/atoms/force", "yes"},
                                                 {"/entry/id", 0},
                                                 {"/entry/argv", json::array()},
                                                 {"/entry/argv", "make"},
                                                 {"/entry/argv/0", std::string{"ma\0ke", 5}},
                                                 {"/entry/argv/0", {{"hex", "6"}}},
                                                 {"/entry/argv/0", {{"hex", "zz"}}},
                                                 {"/entry/argv/0", {{"hex", "00"}}},
                                                 {"/entry/cwd", "relative"},
                                                 {"/entry/state", "done"},
                                                 {"/entry/state", 1},
                                                 {"/entry/code", "0"},
                                                 {"/entry/environment", -1},
                                                 {"/other", 1}}) {
    EXPECT_FALSE(parse_record(with(entry, pointer, value))) << pointer << " " << value.dump();
  }
  const std::string head = to_line(full_head(), "");
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, json>>{{"/queue/schema", 1},
                                                 {"/queue/next_id", -1},
                                                 {"/queue/next_id", "9"},
                                                 {"/queue/closed", 1},
                                                 {"/queue/paused_wall_ms", 1e300},
                                                 {"/queue/starter/pid", 1LL << 40},
                                                 {"/queue/starter", json::array()}}) {
    EXPECT_FALSE(parse_record(with(head, pointer, value))) << pointer << " " << value.dump();
  }
  const std::string end = to_line(EndRecord{3, State::Passed, 0, "", 6});
  EXPECT_FALSE(parse_record(with(end, "/end/state", "running")));
  EXPECT_FALSE(parse_record(R"({"environment":["A=1",5]})"));
  EXPECT_FALSE(parse_record(R"({"removed":{"id":3}})"));
  EXPECT_FALSE(parse_record("[]"));
}

TEST(QueueTextTest, ARecordThatIsTooDeepIsRefused) {
  EXPECT_FALSE(parse_record(std::string(100'000, '[')));
  EXPECT_FALSE(parse_record(
      with(to_line(full_entry(3), 0), "/entry/deep", json::parse("[[[[[[[[1]]]]]]]]"))));
}

TEST(QueueTextTest, FieldsOfANewerVersionAreIgnored) {
  EXPECT_TRUE(parse_record(with(to_line(full_entry(3), 0), "/entry/later", 1)));
  EXPECT_TRUE(parse_record(with(to_line(full_head(), ""), "/queue/later", {{"a", 1}})));
}

TEST(QueueTextTest, AQueueOfAnEarlierVersionIsRead) {
  const auto read = parse_old(old_text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->next_id, 9U);
  EXPECT_TRUE(read->is_closed);
  ASSERT_TRUE(read->starter);
  EXPECT_EQ(read->starter->queue_start, "startstart2");
  ASSERT_EQ(read->entries.size(), 3U);
  Entry expected = full_entry(3);
  expect_same(read->entries[0], expected);
  ASSERT_NE(read->entries[0].environment, nullptr);
  EXPECT_EQ(*read->entries[0].environment, *expected.environment);
  EXPECT_EQ(read->entries[1].state, State::Running);
  EXPECT_EQ(read->entries[2].environment, nullptr);
}

TEST(QueueTextTest, ADamagedQueueOfAnEarlierVersionIsRefused) {
  const std::string text = old_text();
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(parse_old(std::string_view{text}.substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_old(std::string(kLongestText + 1, ' ')));
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, json>>{{"/schema", 2},
                                                 {"/next_id", 8},  // an entry has it
                                                 {"/environments", json::object()},
                                                 {"/environments/0/0", 5},
                                                 {"/environments/0/0", std::string{"A=\0B", 4}},
                                                 {"/entries", 5},
                                                 {"/entries/1/id", 3},  // twice
                                                 {"/entries/0/environment", 1}}) {
    EXPECT_FALSE(parse_old(with(text, pointer, value))) << pointer << " " << value.dump();
  }
}

}  // namespace
}  // namespace onelane::queue
