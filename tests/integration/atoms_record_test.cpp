#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

using Record = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// What is recorded of a run that was several commands.
class AtomsRecordTest : public testing::Test {
 protected:
  AtomsRecordTest() {
    shop_.must({"init"});
    shop_.write("bin/xmllint",
                "#!/bin/sh\nread -r code <\"$1\"\necho x >>\"$1.calls\"\n"
                "[ $(wc -l <\"$1.calls\") -le \"$code\" ]; exit $?\n");
    ::chmod(shop_.path("bin/xmllint").c_str(), 0755);
    shop_.write("good.xml", "9\n");
    shop_.write("bad.xml", "0\n");
  }

  /// `run --atoms --atom-size 1 OPTIONS` over good.xml, bad.xml, good.xml.
  Ended run(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{"run", "--atoms", "--atom-size", "1"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "bin/xmllint", "good.xml", "bad.xml", "good.xml"});
    return shop_.onelane(words);
  }
  [[nodiscard]] std::vector<Record> records() const {
    std::vector<Record> out;
    for (const std::string& line : lines_of(shop_.read(".git/onelane/runs.jsonl"))) {
      out.push_back(Record::parse(line));
    }
    return out;
  }

  Workplace shop_;
};

TEST_F(AtomsRecordTest, PartsAreOneRecordWithTheCommandAsItWasGiven) {
  EXPECT_TRUE(run().exited_with(1));
  ASSERT_EQ(records().size(), 1U);
  const Record record = records().front();
  EXPECT_EQ(record.at("parts"), 3);
  EXPECT_EQ(record.at("argv"), Record({"bin/xmllint", "good.xml", "bad.xml", "good.xml"}));
  EXPECT_EQ(record.at("code"), 1);
  EXPECT_EQ(record.at("reason"), "exited");
  EXPECT_FALSE(record.contains("attempt"));
  EXPECT_FALSE(record.contains("jobs"));
}

TEST_F(AtomsRecordTest, EachAttemptIsARecordWithItsParts) {
  EXPECT_TRUE(run({"--retry", "1"}).exited_with(1));
  ASSERT_EQ(records().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(records()[i].at("attempt"), i + 1);
    EXPECT_EQ(records()[i].at("parts"), 3);
    EXPECT_EQ(records()[i].at("id"), records()[0].at("id"));
  }
}

TEST_F(AtomsRecordTest, ViewShowsPartsAndAttemptInTextAndJson) {
  EXPECT_TRUE(run({"--retry", "1"}).exited_with(1));
  const std::string id = records().front().at("id");
  EXPECT_THAT(
      shop_.must({"runs", "view", id}).out,
      testing::AllOf(HasSubstr("parts:       3 commands\n"), HasSubstr("attempt:     2\n")));
  const Record view = Record::parse(shop_.must({"runs", "view", id, "--json"}).out);
  EXPECT_EQ(view.at("parts"), 3);
  EXPECT_EQ(view.at("attempt"), 2);
  EXPECT_EQ(view.at("command"), "bin/xmllint good.xml bad.xml good.xml");
  const Record rows = Record::parse(shop_.must({"runs", "list", "--json"}).out).at("runs");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(0).at("parts"), 3);
}

TEST_F(AtomsRecordTest, AnOrdinaryRunHasNoneOfIt) {
  shop_.must({"run", "--", "true"});
  const Record record = records().front();
  for (const char* field : {"parts", "attempt", "jobs", "queue_start"}) {
    EXPECT_FALSE(record.contains(field)) << field;
  }
  EXPECT_THAT(shop_.must({"runs", "view", record.at("id")}).out, Not(HasSubstr("parts:")));
}

TEST_F(AtomsRecordTest, AQueueStartNamesItsSplitJobOnce) {
  shop_.must(
      {"queue", "add", "--atoms", "--atom-size", "1", "--", "bin/xmllint", "good.xml", "good.xml"});
  EXPECT_TRUE(shop_.onelane({"queue", "start"}).exited_with(0));
  ASSERT_EQ(records().size(), 2U);
  const Record job = records()[0];
  const Record queue_start = records()[1];
  EXPECT_EQ(job.at("parts"), 2);
  EXPECT_EQ(job.at("queue_start"), queue_start.at("id"));
  EXPECT_THAT(queue_start.at("jobs").get<std::vector<std::string>>(), ElementsAre(job.at("id")));
  EXPECT_FALSE(queue_start.contains("parts"));
  const Record view =
      Record::parse(shop_.must({"runs", "view", queue_start.at("id"), "--json"}).out);
  EXPECT_EQ(view.at("runs").at(0).at("parts"), 2);
}

}  // namespace
}  // namespace onelane::test
