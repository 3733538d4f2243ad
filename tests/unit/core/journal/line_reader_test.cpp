#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "core/journal/record.hpp"
#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::ElementsAre;

/// The fields and their names, repeated here because both are stable.
template <class Visit>
void visit_fields(Record& record, const Visit& visit) {
  visit("project", record.project);
  visit("lane", record.lane);
  visit("tool", record.tool);
  visit("argv", record.argv);
  visit("cwd", record.cwd);
  visit("branch", record.branch);
  visit("label", record.label);
  visit("class", record.cls);
  visit("user", record.user);
  visit("uid", record.uid);
  visit("tty", record.tty);
  visit("agent", record.agent);
  visit("queued_wall_ms", record.queued_wall_ms);
  visit("waited_ms", record.waited_ms);
  visit("started_wall_ms", record.started_wall_ms);
  visit("ended_wall_ms", record.ended_wall_ms);
  visit("duration_ms", record.duration_ms);
  visit("released_ms", record.released_ms);
  visit("code", record.code);
  visit("signal", record.signal);
  visit("reason", record.reason);
  visit("peak_tree_kb", record.peak_tree_kb);
  visit("peak_process_kb", record.peak_process_kb);
  visit("peak_processes", record.peak_processes);
  visit("cpu_ms", record.cpu_ms);
  visit("read_bytes", record.read_bytes);
  visit("written_bytes", record.written_bytes);
  visit("context", record.context);
  visit("kept", record.kept);
  visit("ended_leftovers", record.ended_leftovers);
  visit("survivors", record.survivors);
  visit("empty", record.empty);
  visit("fence", record.fence);
  visit("warnings", record.warnings);
  visit("orphans_ended", record.orphans_ended);
  visit("attempt", record.attempt);
  visit("parts", record.parts);
  visit("queue_start", record.queue_start);
  visit("jobs", record.jobs);
  visit("joined", record.joined);
  visit("pipeline_of", record.pipeline_of);
  visit("same", record.same);
  visit("same_boot_ns", record.same_boot_ns);
}

using Json = nlohmann::json;

template <class Number, class From>
bool assign(From number, Number& out) {
  if (std::in_range<Number>(number)) {
    out = static_cast<Number>(number);
    return true;
  }
  return false;
}

template <class Number>
bool read_number(const Json& value, Number& out) {
  // An unsigned value is also an integer to nlohmann::json; a fraction is neither.
  return value.is_number_unsigned()
             ? assign(value.get<std::uint64_t>(), out)
             : value.is_number_integer() && assign(value.get<std::int64_t>(), out);
}

void read_text(const Json& value, std::string& out) {
  if (value.is_string()) {
    out = value.get_ref<const std::string&>();
  }
}

/// Fills the fields that are present and of the right type.
class Reference {
 public:
  explicit Reference(const Json& line) : line_{line} {}

  void operator()(const char* name, std::string& out) const { read_text(at(name), out); }
  void operator()(const char* name, std::int64_t& out) const { (void)read_number(at(name), out); }
  void operator()(const char* name, std::uint64_t& out) const { (void)read_number(at(name), out); }
  void operator()(const char* name, std::optional<std::int64_t>& out) const {
    std::int64_t code = 0;
    if (read_number(at(name), code)) {
      out = code;
    }
  }
  void operator()(const char* name, bool& out) const {
    out = at(name).is_boolean() && at(name).get<bool>();
  }
  void operator()(const char* name, Reason& out) const {
    std::string word;
    read_text(at(name), word);
    out = reason_of(word).value_or(out);
  }
  void operator()(const char* name, std::vector<std::string>& out) const {
    for (const Json& item : elements(name)) {
      read_text(item, out.emplace_back());
    }
  }
  void operator()(const char* name, std::array<std::uint64_t, 8>& out) const {
    std::size_t i = 0;
    for (const Json& item : elements(name)) {
      if (i < out.size()) {
        (void)read_number(item, out[i++]);
      }
    }
  }
  void operator()(const char* name, std::vector<Process>& out) const {
    for (const Json& item : elements(name)) {
      if (item.is_object()) {
        const Reference fields{item};
        Process& process = out.emplace_back();
        (void)read_number(fields.at("pid"), process.pid);
        fields("start", process.start);
        fields("command", process.command);
      }
    }
  }
  void card(std::string& out) const {
    const Json& value = at("card");
    if (value.is_object()) {
      out = value.dump();
    } else {
      read_text(value, out);
    }
  }
  [[nodiscard]] const Json& at(const char* name) const {
    static const Json none;
    const auto found = line_.find(name);
    return found == line_.end() ? none : *found;
  }

 private:
  [[nodiscard]] const Json& elements(const char* name) const {
    static const Json none = Json::array();
    return at(name).is_array() ? at(name) : none;
  }
  const Json& line_;
};

/// The record in a line, by a parser that builds the whole document first. Does not limit nesting.
std::optional<Record> reference_of(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    return std::nullopt;
  }
  const Reference read{json};
  Record record;
  record.schema = 0;
  (void)read_number(read.at("schema"), record.schema);
  read("id", record.id);
  if (record.schema < 1 || !is_run_id(record.id)) {
    return std::nullopt;
  }
  visit_fields(record, read);
  for (std::string* other : {&record.queue_start, &record.joined, &record.pipeline_of}) {
    *other = is_run_id(*other) ? *other : "";
  }
  std::erase_if(record.jobs, [](const std::string& job) { return !is_run_id(job); });
  read.card(record.card);
  return record;
}

/// Whether `reader` reads the same from `line` as the reference, whatever `record` held before.
testing::AssertionResult agrees(LineReader& reader, Record& record, const std::string& line) {
  const bool is_read = reader.read(line, record);
  const auto reference = reference_of(line);
  if (is_read != reference.has_value()) {
    return testing::AssertionFailure() << (is_read ? "takes " : "refuses ") << line;
  }
  if (!is_read) {
    return testing::AssertionSuccess();
  }
  Record same = record;
  if (const Json card = Json::parse(record.card, nullptr, false); card.is_object()) {
    same.card = card.dump();  // only its form may differ
  }
  return same == *reference ? testing::AssertionSuccess()
                            : testing::AssertionFailure() << "differs on " << line;
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces{"make",
                                                " ",
                                                "\"",
                                                "\\",
                                                "\n",
                                                "\t",
                                                "\x01",
                                                "\x7f",
                                                "\u009b",
                                                "\u00e9",
                                                "\u202e",
                                                "\U0001f600",
                                                "\xff",
                                                "\xc3",
                                                "\xed\xa0\x80",
                                                "{\"schema\":1",
                                                "}",
                                                "]",
                                                std::string(1, '\0')};
  std::string text;
  for (auto n = random() % 6; n > 0; --n) {
    text += kPieces[random() % kPieces.size()];
  }
  return text;
}

std::int64_t random_number(std::mt19937& random) {
  switch (random() % 6) {
    case 0:
      return 0;
    case 1:
      return std::numeric_limits<std::int64_t>::max();
    case 2:
      return std::numeric_limits<std::int64_t>::min();
    case 3:
      return -static_cast<std::int64_t>(random());
    default:
      return static_cast<std::int64_t>(random());
  }
}

Record random_record(std::mt19937& random) {
  Record record = random() % 2 == 0 ? full_record() : small_record("abcdefghijk");
  for (std::string* text : {&record.project, &record.lane, &record.tool, &record.branch,
                            &record.cls, &record.user, &record.agent, &record.label}) {
    *text = random_text(random);
  }
  record.argv.clear();
  for (auto n = random() % 5; n > 0; --n) {
    record.argv.push_back(random_text(random));
  }
  for (std::int64_t* number : {&record.queued_wall_ms, &record.waited_ms, &record.started_wall_ms,
                               &record.ended_wall_ms, &record.duration_ms, &record.signal}) {
    *number = random_number(random);
  }
  if (random() % 2 == 0) {
    record.code = random_number(random);
  }
  record.reason = static_cast<Reason>(random() % 12);
  record.peak_tree_kb = static_cast<std::uint64_t>(random_number(random));
  record.cpu_ms = static_cast<std::uint64_t>(random_number(random));
  if (random() % 2 == 0) {
    record.card =
        random() % 2 == 0 ? random_text(random) : R"({"a":["\\\"}",{"b":null}],"c":-1.5e3})";
  }
  return record;
}

TEST(LineReaderTest, ALineThatIsNotARecordIsRefused) {
  for (const char* line :
       {"", "\n", "null", "[]", "7", "{}", R"({"schema":1})", R"({"id":"abcdefghijk"})",
        R"({"schema":"1","id":"abcdefghijk"})", R"({"schema":0,"id":"abcdefghijk"})",
        R"({"schema":1,"id":7})", R"({"schema":1,"id":""})", R"({"schema":1,"id":"a"})",
        R"({"schema":1,"id":"\u001b[2Jabcdefg"})", R"({"schema":1,"id":"abcdefghij1"})",
        R"({"schema":1,"id":"abcdefghijk")", R"({"schema":1,"id":"abcdefghijk"} x)",
        "{\"schema\":1,\"id\":\"\xff\"}"}) {
    EXPECT_FALSE(parse(line)) << line;
  }
}

TEST(LineReaderTest, EveryPrefixOfALineIsRefused) {
  const std::string line = to_line(full_record());
  for (std::size_t length = 0; length + 2 <= line.size(); ++length) {
    EXPECT_FALSE(parse(std::string_view{line}.substr(0, length))) << length;
  }
  EXPECT_TRUE(parse(std::string_view{line}.substr(0, line.size() - 1)));
}

TEST(LineReaderTest, UnknownFieldsAndLaterSchemasAreRead) {
  const auto record =
      parse(R"({"schema":2,"id":"abcdefghijk","new":{"a":[1]},"tool":"make","reason":"tired"})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->tool, "make");
  EXPECT_EQ(record->reason, Reason::Exited);
}

TEST(LineReaderTest, AFieldOfAWrongTypeKeepsItsDefault) {
  const auto record =
      parse(R"({"schema":1,"id":"abcdefghijk","tool":7,"argv":"make","uid":-1,"waited_ms":1e300,)"
            R"("code":"0","signal":18446744073709551615,"cpu_ms":1.5,"empty":1,"context":{"a":1},)"
            R"("kept":[1,{"pid":99999999999,"start":-1,"command":[]}],"fence":[[]],"card":3,)"
            R"("reason":null})");
  ASSERT_TRUE(record);
  Record expected = small_record("abcdefghijk");
  expected.kept.emplace_back();
  EXPECT_EQ(*record, expected);
}

TEST(LineReaderTest, ArraysAreReadUpToTheirLimit) {
  const auto record = parse(
      R"({"schema":1,"id":"abcdefghijk","context":[1,"x",3,4,5,6,7,8,9],"argv":["a",2,"c"]})");
  ASSERT_TRUE(record);
  EXPECT_THAT(record->context, ElementsAre(1, 0, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(record->argv, ElementsAre("a", "", "c"));
}

TEST(LineReaderTest, InvalidIdsOfOtherRunsAreDropped) {
  const auto record =
      parse(R"({"schema":1,"id":"abcdefghijk","jobs":["a","bbbbbbbbbbb","\u001b[2Jabcdefg"],)"
            R"("queue_start":"../../../xx","joined":"\u001b[2Jabcdefg"})");
  ASSERT_TRUE(record);
  EXPECT_THAT(record->jobs, ElementsAre("bbbbbbbbbbb"));
  EXPECT_EQ(record->queue_start, "");
  EXPECT_EQ(record->joined, "");
}

TEST(LineReaderTest, LinesThatSayBatchAreReadAsThoseOfAQueueStart) {
  const auto job = parse(R"({"schema":1,"id":"abcdefghijk","batch":"startstart2"})");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->queue_start, "startstart2");
  const auto start = parse(R"({"schema":1,"id":"abcdefghijk","class":"batch"})");
  ASSERT_TRUE(start);
  EXPECT_TRUE(is_queue_start(*start));
  EXPECT_THAT(to_line(*start), testing::HasSubstr(R"("class":"queue-start")"));
}

TEST(LineReaderTest, DepthBombsAndEndlessLinesAreRefused) {
  const std::string head = R"({"schema":1,"id":"abcdefghijk","card":)";
  EXPECT_FALSE(parse(head + std::string(500'000, '[')));
  const std::string bomb = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(parse(head + bomb + "}"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += R"({"a":)";
  }
  EXPECT_FALSE(parse(head + objects + "1" + std::string(100'001, '}')));
  EXPECT_TRUE(parse(head + "\"" + std::string(100'000, '[') + "\"}")) << "only a string";
  EXPECT_FALSE(parse(head + "\"" + std::string(kLongestLine, 'x') + "\"}"));
}

TEST(LineReaderTest, ReadsEverythingTheWriterWrites) {
  std::mt19937 random{4};
  LineReader reader;
  Record record;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = to_line(random_record(random));
    ASSERT_TRUE(reader.read(line, record)) << line;
    ASSERT_TRUE(agrees(reader, record, line));
  }
}

TEST(LineReaderTest, ReadsDamagedLinesLikeAnyParser) {
  std::mt19937 random{5};
  LineReader reader;
  Record record;
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string line = to_line(random_record(random));
    const std::size_t at = random() % line.size();
    switch (random() % 4) {
      case 0:
        line.resize(at);
        break;
      case 1:
        line[at] = static_cast<char>(random());
        break;
      case 2:
        line.erase(at, 1 + random() % 9);
        break;
      default:
        line.insert(at, 1, "\"\\{}[],:0-.eu \x01\xc3"[random() % 17]);
    }
    ASSERT_TRUE(agrees(reader, record, line));
    refused += reader.read(line, record) ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 1000);
}

TEST(LineReaderTest, ReadsHandMadeLinesLikeAnyParser) {
  const std::string start = R"({"schema":1,"id":"abcdefghijk")";
  LineReader reader;
  Record record;
  for (const std::string& line : std::vector<std::string>{
           "",
           "{",
           "{}",
           "[]",
           "null",
           "{\"schema\":1}",
           R"({"schema":0,"id":"a"})",
           R"({"schema":1,"id":""})",
           R"({"schema":1,"id":"a"})",
           R"({"schema":1,"id":"abcdefghij1"})",
           R"({"schema":1,"id":"\u001b[2Jabcdefg"})",
           start + ",\"joined\":\"\\u001b[2J\"}",
           start + ",\"joined\":\"abcdefghijk\"}",
           R"({"schema":99999999999,"id":"a"})",
           start + "}",
           start + "} ",
           start + "}x",
           start + ",}",
           start + ",\"tool\":\"a\",\"tool\":\"b\"}",
           start + ",\"tool\":\"a\",\"tool\":3}",
           start + ",\"code\":1.5}",
           start + ",\"code\":01}",
           start + ",\"code\":-0}",
           start + ",\"code\":-9223372036854775808}",
           start + ",\"cpu_ms\":-1}",
           start + ",\"cpu_ms\":18446744073709551615}",
           start + ",\"cpu_ms\":18446744073709551616}",
           start + ",\"cpu_ms\":1e999}",
           start + ",\"argv\":[]}",
           start + ",\"argv\":[\"a\",3,\"b\"]}",
           start + ",\"argv\":\"a\"}",
           start + ",\"reason\":\"tired\"}",
           start + ",\"reason\":3}",
           start + ",\"new\":{\"a\":[]}}",
           start + ",\"new\":[1,\"a\",null]}",
           start + ",\"new\":nul}",
           start + ",\"a\tb\":1}",
           start + ",\"t\\u006fol\":\"x\"}",
           start + ",\"tool\":\"\\ud83d\\ude00\"}",
           start + ",\"tool\":\"\\udc00\"}",
           start + ",\"tool\":\"\\u0000\"}",
           start + ",\"tool\":\"\\u00G0\"}",
           start + ",\"tool\":\"\\/\\b\\f\\r\"}",
           start + ",\"card\":{\"a\":}}",
           start + ",\"card\":{\"b\":1,\"a\":[{\"tool\":\"x\"}]},\"tool\":\"y\"}",
           start + ",\"card\":\"text\"}",
           start + ",\"card\":[{}]}",
           start + ",\"card\":3}",
           start + ",\"kept\":[{\"pid\":1,\"x\":{\"pid\":2},\"start\":3},[7],[{\"pid\":4}],5,{}]}",
           start + ",\"context\":[1,[2],{\"a\":3},4,5,6,7,8,9,10]}",
           start + ",\"argv\":[[\"a\"],{\"b\":\"c\"},\"d\"]}",
           start + ",\"argv\":[\"a\"],\"argv\":[\"b\"]}",
           start + ",\"argv\":[\"a\"],\"argv\":null}",
           start + ",\"kept\":{\"a\":[1]},\"project\":\"p\"}",
           start + ",\"empty\":true,\"empty\":1}",
           start + ",\"reason\":\"memory\",\"reason\":\"tired\"}",
           start + ",\"new\":\"\\udc00\"}",
           start + ",\"new\":\"\\ud800\\u0041\"}",
           start + ",\"card\":{\"\xff\":1}}",
           start + ",\"card\":{\"a\":\"\xed\xa0\x80\"}}",
           start + ",\"\\udc00\":1}",
           start + ",\"new\":\"\x7f\"}",
           start + ",\"code\":1.0}",
           start + ",\"code\":1e0}",
           start + ",\"code\":- 1}",
           start + ",\"code\":+1}",
           start + ",\"code\":.5}",
           start + ",\"code\":NaN}",
           start + ",\"code\":9223372036854775808}",
           start + ",\"code\":-9223372036854775809}",
           start + std::string(1, '\0') + "}",
           start + ",\"tool\":\"a" + std::string(1, '\0') + "b\"}",
           "\t" + start + "\r\n}\r\n",
           start + "/* no */}",
           "7",
           "\"text\"",
           "true",
           start + ",\"card\":{\"a\":1]}",
           start + ",\"tool\":\"" + std::string(100'000, 'x') + "\"}"}) {
    EXPECT_TRUE(agrees(reader, record, line));
  }
}

TEST(LineReaderTest, ANulDoesNotEndALine) {
  const std::string line = R"({"schema":1,"id":"abcdefghijk"})";
  EXPECT_FALSE(parse(line + std::string(1, '\0')));
  EXPECT_FALSE(parse(line + '\0' + line));
}

TEST(LineReaderTest, NestingIsLimited) {
  const std::string start = R"({"schema":1,"id":"abcdefghijk","card":)";
  EXPECT_TRUE(parse(start + std::string(31, '[') + std::string(31, ']') + "}"));
  EXPECT_FALSE(parse(start + std::string(32, '[') + std::string(32, ']') + "}"));
}

TEST(LineReaderTest, NothingOfThePreviousLineRemains) {
  LineReader reader;
  Record record;
  ASSERT_TRUE(reader.read(to_line(full_record()), record));
  EXPECT_EQ(record, full_record());
  EXPECT_FALSE(reader.read("{", record));
  ASSERT_TRUE(reader.read(to_line(small_record("abcdefghijk")), record));
  EXPECT_EQ(record, small_record("abcdefghijk"));
}

TEST(LineReaderTest, ContextCanBeLeftOutOfALine) {
  Record record = full_record();
  const auto without = parse(to_line(record, Context::LeftOut));
  record.context = {};
  EXPECT_EQ(without, record);
}

}  // namespace
}  // namespace onelane::journal
