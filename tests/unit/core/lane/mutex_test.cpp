#include "core/lane/mutex.hpp"

#include <boost/date_time/posix_time/posix_time.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>

#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

namespace bip = boost::interprocess;
using boost::posix_time::microsec_clock;
using boost::posix_time::milliseconds;

/// A mutex of the lane in `directory` that only waits.
struct PlainMutex {
  explicit PlainMutex(const std::string& directory) : table{directory, 0600} {}
  Table table;
  PlainWaiter waiter;
  LaneMutex mutex{table, {.tool = "mutex", .command = "PlainMutex"}, waiter};
};

TEST_F(LaneTest, LaneMutexWorksWithBoostsScopedLock) {
  PlainMutex first{directory_};
  PlainMutex tried{directory_};
  PlainMutex timed{directory_};
  PlainMutex last{directory_};
  {
    const bip::scoped_lock<LaneMutex> lock{first.mutex};
    EXPECT_TRUE(lock.owns());
    const bip::scoped_lock<LaneMutex> second{tried.mutex, bip::try_to_lock};
    EXPECT_FALSE(second.owns());
    const bip::scoped_lock<LaneMutex> third{timed.mutex,
                                            microsec_clock::universal_time() + milliseconds{20}};
    EXPECT_FALSE(third.owns());
  }
  const bip::scoped_lock<LaneMutex> again{last.mutex, bip::try_to_lock};
  EXPECT_TRUE(again.owns());
}

TEST_F(LaneTest, LaneMutexIsFreeAgainAfterItsOwnerWasKilled) {
  const pid_t owner = child([&] {
    PlainMutex own{directory_};
    own.mutex.lock();
    trace("locked");
    ::pause();
  });
  ASSERT_TRUE(eventually([&] { return !traced().empty(); }));
  ::kill(owner, SIGKILL);
  PlainMutex next{directory_};
  EXPECT_TRUE(next.mutex.timed_lock(microsec_clock::universal_time() + milliseconds{5000}));
  next.mutex.unlock();
}

TEST_F(LaneTest, LaneMutexOfARemovedLaneFailsWithoutWaiting) {
  PlainMutex owner{directory_};
  owner.mutex.lock();
  PlainMutex next{directory_};
  ASSERT_EQ(::unlink(owner.table.path().c_str()), 0);
  EXPECT_THROW(next.mutex.lock(), sys::SystemError);
  EXPECT_THROW((void)next.mutex.try_lock(), sys::SystemError);
}

// The documented reason not to use named_mutex for the lane.
TEST_F(LaneTest, BoostsNamedMutexStaysLockedAfterItsOwnerWasKilled) {
  const std::string name = "onelane-test-" + std::to_string(::getpid());
  bip::named_mutex::remove(name.c_str());
  const pid_t owner = child([&] {
    bip::named_mutex mutex{bip::create_only, name.c_str()};
    mutex.lock();
    trace("locked");
    ::pause();
  });
  ASSERT_TRUE(eventually([&] { return !traced().empty(); }));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  children_.clear();
  bip::named_mutex mutex{bip::open_only, name.c_str()};
  EXPECT_FALSE(mutex.timed_lock(microsec_clock::universal_time() + milliseconds{200}));
  bip::named_mutex::remove(name.c_str());
}

}  // namespace
}  // namespace onelane::lane
