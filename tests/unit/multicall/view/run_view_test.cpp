#include "multicall/view/run_view.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace onelane::multicall {
namespace {

using nlohmann::json;

journal::Record ended_record() {
  journal::Record record;
  record.id = "abcdefghijk";
  record.tool = "make";
  record.argv = {"make", "", "say \"hi\" \\ bye", "caf\u00e9\x1b[2J"};
  record.branch = "feature/caf\u00e9";
  record.cls = "lane";
  record.code = 2;
  record.context = {1, 2, 3};
  record.kept = {{11, 12, "redis-server *:6379"}};
  record.card = R"({"limit":"memory","sizes":[1,2.5,null]})";
  return record;
}

TEST(RunViewTest, TheRowOfAnEndedRunIsItsJson) {
  journal::Record queue_start = ended_record();
  queue_start.cls = "queue-start";
  queue_start.jobs = {"jobjobjob22", "jobjobjob23"};
  journal::Record hostile = ended_record();
  hostile.label = "\x7f\u009b##[group]";
  journal::Record ok;
  ok.id = "abcdefghijk";
  ok.code = 0;
  for (const journal::Record& record : {ended_record(), queue_start, hostile, ok}) {
    const RunView run = view_of(record);
    EXPECT_EQ(json::parse(json_text_of(run)), to_json(run));
  }
}

TEST(RunViewTest, ARowHasTheRecordWithoutItsContext) {
  const json row = json::parse(json_text_of(view_of(ended_record())));
  EXPECT_FALSE(row.contains("context"));
  EXPECT_EQ(row.at("state"), "failed");
  EXPECT_EQ(row.at("command"), "make  say \"hi\" \\ bye caf\u00e9?[2J");
  EXPECT_EQ(row.at("argv").at(2), "say \"hi\" \\ bye");
  EXPECT_EQ(row.at("card").at("limit"), "memory");
}

TEST(RunViewTest, ACommandIsNeverCut) {
  journal::Record record = ended_record();
  record.argv = {"make", std::string(5000, 'x')};
  EXPECT_EQ(view_of(record).command, "make " + std::string(5000, 'x'));
}

}  // namespace
}  // namespace onelane::multicall
