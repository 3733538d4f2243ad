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

TEST_F(LaneTest, LaneMutexWorksWithBoostsScopedLock) {
  LaneMutex mutex{directory_};
  LaneMutex other{directory_};
  {
    const bip::scoped_lock<LaneMutex> lock{mutex};
    EXPECT_TRUE(lock.owns());
    const bip::scoped_lock<LaneMutex> second{other, bip::try_to_lock};
    EXPECT_FALSE(second.owns());
    const bip::scoped_lock<LaneMutex> third{other,
                                            microsec_clock::universal_time() + milliseconds{20}};
    EXPECT_FALSE(third.owns());
  }
  const bip::scoped_lock<LaneMutex> again{other, bip::try_to_lock};
  EXPECT_TRUE(again.owns());
}

TEST_F(LaneTest, LaneMutexIsFreeAgainAfterItsOwnerWasKilled) {
  const pid_t owner = child([&] {
    LaneMutex mutex{directory_};
    mutex.lock();
    trace("locked");
    ::pause();
  });
  ASSERT_TRUE(eventually([&] { return !traced().empty(); }));
  ::kill(owner, SIGKILL);
  LaneMutex mutex{directory_};
  EXPECT_TRUE(mutex.timed_lock(microsec_clock::universal_time() + milliseconds{5000}));
  mutex.unlock();
}

// The documented reason why the lane is not a named_mutex.
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
