#include "multicall/monitor/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/multicall/monitor/scene.hpp"

namespace onelane::multicall::monitor {
namespace {

using lane::State;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kId = "aaaaaaaaaaa";
constexpr const char* kOther = "bbbbbbbbbbb";

/// A lane with this holder and this queue.
std::vector<LaneLook> lane_with(std::optional<TicketView> holder, std::vector<TicketView> queue) {
  LaneLook lane;
  lane.name = "main";
  lane.view.holder = std::move(holder);
  lane.view.queue = std::move(queue);
  return {lane};
}

journal::Record record_of(const std::string& id, journal::Reason reason) {
  journal::Record record;
  record.id = id;
  record.argv = {"make", "test"};
  record.cls = "lane";
  record.reason = reason;
  record.queued_wall_ms = 10;
  record.started_wall_ms = 20;
  record.ended_wall_ms = 30;
  return record;
}

std::vector<std::string> words(const std::vector<Event>& events) {
  std::vector<std::string> out;
  for (const Event& event : events) {
    EXPECT_EQ(event["schema"], 1);
    EXPECT_TRUE(event["at_wall_ms"].is_number());
    out.push_back(event["event"].get<std::string>() + " " + event.value("id", ""));
  }
  return out;
}

const TicketView kWaits = ticket(kId, State::Waiting, "make test");
const TicketView kIsGranted = ticket(kId, State::Granted, "make test");
const TicketView kRuns = ticket(kId, State::Running, "make test");

TEST(StoryTest, ARunIsToldFromItsBeginningToItsEnd) {
  Story story;
  EXPECT_THAT(words(story.see(lane_with({}, {kWaits}), 1)), ElementsAre("enqueued aaaaaaaaaaa"));
  EXPECT_THAT(words(story.see(lane_with({}, {kIsGranted}), 2)), ElementsAre("granted aaaaaaaaaaa"));
  EXPECT_THAT(words(story.see(lane_with(kRuns, {}), 3)), ElementsAre("started aaaaaaaaaaa"));
  EXPECT_THAT(story.running(), ElementsAre(kId));
  EXPECT_THAT(story.see(lane_with({}, {}), 4), IsEmpty());
  EXPECT_TRUE(story.expects_records());
  const auto events = story.see(record_of(kId, journal::Reason::Exited));
  EXPECT_THAT(words(events), ElementsAre("finished aaaaaaaaaaa"));
  EXPECT_EQ(events[0]["reason"], "exited");
  EXPECT_FALSE(story.expects_records());
}

TEST(StoryTest, OneThatTakesTheFreeLaneIsToldTheSame) {
  Story story;
  EXPECT_THAT(words(story.see(lane_with(kRuns, {}), 1)),
              ElementsAre("enqueued aaaaaaaaaaa", "granted aaaaaaaaaaa", "started aaaaaaaaaaa"));
}

TEST(StoryTest, OneThatWasTooQuickIsToldFromItsRecord) {
  Story story;
  const auto events = story.see(record_of(kId, journal::Reason::Exited));
  EXPECT_THAT(words(events), ElementsAre("enqueued aaaaaaaaaaa", "granted aaaaaaaaaaa",
                                         "started aaaaaaaaaaa", "finished aaaaaaaaaaa"));
  EXPECT_EQ(events[0]["at_wall_ms"], 10);
  EXPECT_EQ(events[3]["at_wall_ms"], 30);
}

TEST(StoryTest, WhoGoesWithoutAStartHasLeft) {
  Story story;
  (void)story.see(lane_with({}, {kWaits}), 1);
  EXPECT_THAT(story.see(lane_with({}, {}), 2), IsEmpty());  // it may have run meanwhile
  EXPECT_TRUE(story.expects_records());
  EXPECT_THAT(words(story.see(lane_with({}, {}), 4'000)), ElementsAre("left aaaaaaaaaaa"));
  EXPECT_FALSE(story.expects_records());
  EXPECT_THAT(story.see(lane_with({}, {}), 9'000), IsEmpty());
}

TEST(StoryTest, OneThatWasSeenOnlyToWaitHasNotLeftWhenItHasARecord) {
  Story story;
  (void)story.see(lane_with({}, {kWaits}), 1);
  EXPECT_THAT(story.see(lane_with({}, {}), 2), IsEmpty());
  EXPECT_THAT(words(story.see(record_of(kId, journal::Reason::Exited))),
              ElementsAre("granted aaaaaaaaaaa", "started aaaaaaaaaaa", "finished aaaaaaaaaaa"));
  EXPECT_THAT(story.see(lane_with({}, {}), 9'000), IsEmpty());
}

TEST(StoryTest, OneWhoseEntryWasJustBeingWrittenIsStillThere) {
  Story story;
  (void)story.see(lane_with({}, {kWaits}), 1);
  EXPECT_THAT(story.see(lane_with({}, {}), 2), IsEmpty());
  EXPECT_THAT(story.see(lane_with({}, {kWaits}), 3), IsEmpty());
  EXPECT_THAT(story.see(lane_with({}, {}), 9'000), IsEmpty());
}

TEST(StoryTest, ALimitKills) {
  Story story;
  (void)story.see(lane_with(kRuns, {}), 1);
  journal::Record record = record_of(kId, journal::Reason::Memory);
  record.card = R"({"limit_name":"MEMORY_LIMIT_MB"})";
  const auto events = story.see(record);
  EXPECT_THAT(words(events), ElementsAre("killed aaaaaaaaaaa"));
  EXPECT_EQ(events[0]["card"]["limit_name"], "MEMORY_LIMIT_MB");
}

TEST(StoryTest, ARecordThatComesBeforeTheRunIsSeenGoneIsToldOnce) {
  Story story;
  (void)story.see(lane_with(kRuns, {}), 1);
  EXPECT_THAT(words(story.see(record_of(kId, journal::Reason::Exited))),
              ElementsAre("finished aaaaaaaaaaa"));
  EXPECT_THAT(story.see(lane_with(kRuns, {}), 2), IsEmpty());
  EXPECT_THAT(story.see(lane_with({}, {}), 3), IsEmpty());
  EXPECT_THAT(story.see(lane_with({}, {}), 9'000), IsEmpty());
}

TEST(StoryTest, ARunWithoutARecordFinishesWithoutAReason) {
  Story story;
  (void)story.see(lane_with(kRuns, {}), 1);
  EXPECT_THAT(story.see(lane_with({}, {}), 2), IsEmpty());
  const auto events = story.see(lane_with({}, {}), 5'000);
  EXPECT_THAT(words(events), ElementsAre("finished aaaaaaaaaaa"));
  EXPECT_TRUE(events[0]["reason"].is_null());
}

TEST(StoryTest, PlacesAndHoldAreTold) {
  Story story;
  const TicketView other = ticket(kOther, State::Waiting, "git gc");
  (void)story.see(lane_with({}, {other, kWaits}), 1);
  const auto moved = story.see(lane_with({}, {kWaits, other}), 2);
  EXPECT_THAT(words(moved), ElementsAre("moved aaaaaaaaaaa", "moved bbbbbbbbbbb"));
  EXPECT_EQ(moved[0]["position"], 1);
  EXPECT_EQ(moved[0]["from"], 2);
  auto held = lane_with({}, {kWaits, other});
  held[0].view.is_on_hold = true;
  EXPECT_THAT(words(story.see(held, 3)), ElementsAre("held "));
  EXPECT_THAT(words(story.see(lane_with({}, {kWaits, other}), 4)), ElementsAre("released "));
}

TEST(StoryTest, SurvivorsAreOrphans) {
  Story story;
  (void)story.see(lane_with(kRuns, {}), 1);
  journal::Record record = record_of(kId, journal::Reason::Stopped);
  record.survivors = {{7, 8, "stuck"}};
  EXPECT_THAT(words(story.see(record)), ElementsAre("killed aaaaaaaaaaa", "orphan aaaaaaaaaaa"));
}

TEST(StoryTest, TheFirstLookIsOneEvent) {
  Story story;
  LanesHere here;
  here.project.root = "/shop";
  const Event event = story.begin(here, lane_with(kRuns, {kWaits}), 1);
  EXPECT_EQ(event["event"], "snapshot");
  EXPECT_EQ(event["lanes"][0]["holder"]["id"], kId);
  EXPECT_THAT(story.see(lane_with(kRuns, {}), 2), IsEmpty());
}

}  // namespace
}  // namespace onelane::multicall::monitor
