// A call that is killed while it waits, and comes back.
#include <signal.h>

#include "tests/integration/steer_scene.hpp"
#include "tests/support/schema.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RejoinTest : public SteerScene {
 protected:
  /// `make trace NAME` in the queue, at any place; started in `directory`.
  Running enter(const std::string& name, const std::string& directory = {}) {
    const std::size_t before = status_of(sandbox_)["queue"].size();
    Start how;
    how.directory = directory;
    Running waiter = sandbox_.start({"make", "trace", name}, how);
    EXPECT_TRUE(comes_to_queue(sandbox_, before + 1));
    return waiter;
  }
  void end(Running& waiter, int signal) {
    waiter.signal(signal);
    EXPECT_TRUE(waiter.wait().died_of(signal));
  }
  json left() { return status_of(sandbox_)["left"]; }
  void expect_all_end(std::initializer_list<Running*> waiters) {
    for (Running* waiter : waiters) {
      EXPECT_TRUE(waiter->wait().exited_with(0));
    }
  }
};

class KilledWaiterTest : public RejoinTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Signals, KilledWaiterTest, testing::Values(SIGTERM, SIGHUP, SIGKILL),
                         [](const auto& each) { return std::string{::sigabbrev_np(each.param)}; });

TEST_P(KilledWaiterTest, GetsItsPlaceBackBeforeTwoOthersAndAnotherCommandDoesNot) {
  Holder holder{sandbox_};
  Running first = enter("first");
  Running second = enter("second");
  end(first, GetParam());
  Running third = enter("third");
  EXPECT_EQ(left().size(), 1U);
  Running stranger = enter("stranger");
  EXPECT_EQ(left().size(), 1U);
  Running again = enter("first");
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&again, &second, &third, &stranger});
  EXPECT_THAT(sandbox_.texts(),
              ElementsAre("holder in", "holder out", "first", "second", "third", "stranger"));
}

class LeavingWaiterTest : public RejoinTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Signals, LeavingWaiterTest, testing::Values(SIGINT, SIGQUIT),
                         [](const auto& each) { return std::string{::sigabbrev_np(each.param)}; });

TEST_P(LeavingWaiterTest, HasWantedToLeave) {
  Holder holder{sandbox_};
  Running first = enter("first");
  Running second = enter("second");
  end(first, GetParam());
  EXPECT_THAT(left(), IsEmpty());
  Running again = enter("first");
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&second, &again});
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "second", "first"));
}

TEST_F(RejoinTest, ThePlaceIsOneOfTheSameDirectory) {
  const std::string below = sandbox_.project() + "/below";
  std::filesystem::create_directory(below);
  Holder holder{sandbox_};
  Running first = enter("first");
  Running second = enter("second");
  end(first, SIGTERM);
  Running elsewhere = enter("first", below);
  EXPECT_EQ(left().size(), 1U);
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&second, &elsewhere});
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "second", "first"));
}

TEST_F(RejoinTest, StatusShowsWhoLeftAndForHowLong) {
  Holder holder{sandbox_};
  Running first = enter("first");
  const std::string id = id_of("trace first");
  end(first, SIGKILL);
  json place = left().at(0);
  EXPECT_EQ(place["id"], id);
  EXPECT_EQ(place["command"], "make trace first");
  EXPECT_TRUE(place["rejoin_ms"].is_null());  // no call has noticed its death yet
  EXPECT_THAT(onelane({"status"}).out, HasSubstr("left:    make trace first  (run " + id));
  Running second = enter("second");
  place = left().at(0);
  EXPECT_EQ(place["id"], id);
  EXPECT_GT(place["rejoin_ms"], 0);
  EXPECT_LE(place["rejoin_ms"], 120'000);
  const Ended shown = onelane({"status"});
  EXPECT_THAT(shown.out, HasSubstr(", may rejoin for "));
  EXPECT_EQ(schema_faults(onelane({"status", "--json"}).out, "status"), "");
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&second});
}

TEST_F(RejoinTest, APlaceBlocksNoCallAndIsGoodForAFreeLaneToo) {
  {
    Holder holder{sandbox_};
    Running first = enter("first");
    end(first, SIGTERM);
    EXPECT_TRUE(holder.release().exited_with(0));
  }
  EXPECT_TRUE(sandbox_.run({"make", "trace", "other"}).exited_with(0));
  EXPECT_EQ(left().size(), 1U);
  EXPECT_TRUE(sandbox_.run({"make", "trace", "first"}).exited_with(0));
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "other", "first"));
}

TEST_F(RejoinTest, SwitchedOffNoPlaceIsKept) {
  sandbox_.set_environment("ONELANE_REJOIN", "0");
  Holder holder{sandbox_};
  Running first = enter("first");
  Running second = enter("second");
  end(first, SIGKILL);
  Running again = enter("first");
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&second, &again});
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "second", "first"));
}

TEST_F(RejoinTest, ThePlaceIsForgottenAfterItsTime) {
  sandbox_.set_environment("ONELANE_REJOIN", "0.2");
  Holder holder{sandbox_};
  Running first = enter("first");
  Running second = enter("second");
  end(first, SIGTERM);
  ASSERT_TRUE(eventually([&] { return left().empty(); }));
  Running again = enter("first");
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&second, &again});
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "second", "first"));
}

TEST_F(RejoinTest, WhoIsToldToEndIsToldThatItMayComeBackAndHearsThatItHas) {
  Holder holder{sandbox_};
  const std::string notices = sandbox_.fresh_path("notices");
  const auto start = [&] {
    return sandbox_.start({"bash", "-c", "exec make trace first 2>>" + notices});
  };
  Running first = start();
  ASSERT_TRUE(comes_to_contain(notices, "waiting for lane"));
  EXPECT_THAT(contents_of(notices), Not(HasSubstr("its place before")));
  end(first, SIGTERM);
  EXPECT_THAT(contents_of(notices),
              HasSubstr("onelane: left the queue; the same command gets its place back within "
                        "2m00s\n"));
  Running second = enter("second");
  Running again = start();
  EXPECT_TRUE(comes_to_contain(notices, "1st of 2, its place before · "));
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&again, &second});
}

TEST_F(RejoinTest, OnelaneRunKeepsItsPlaceAsWell) {
  Holder holder{sandbox_};
  const auto run = [&](const std::string& name, std::size_t expected) {
    Running started =
        sandbox_.start(words_of({"run", "--", sandbox_.tools() + "/make", "trace", name}));
    EXPECT_TRUE(comes_to_queue(sandbox_, expected));
    return started;
  };
  Running first = run("first", 1);
  Running second = run("second", 2);
  end(first, SIGTERM);
  Running again = run("first", 2);
  EXPECT_TRUE(holder.release().exited_with(0));
  expect_all_end({&again, &second});
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "first", "second"));
}

}  // namespace
}  // namespace onelane::test
