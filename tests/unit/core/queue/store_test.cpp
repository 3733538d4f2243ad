#include "core/queue/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "core/queue/text.hpp"
#include "core/sys/error.hpp"
#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// errno of the SystemError that `act` throws, 0 if it throws none.
int error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const sys::SystemError& error) {
    return error.code().value();
  }
  return 0;
}

class StoreTest : public QueueDirectoryTest {};

TEST_F(StoreTest, NoFileIsAnEmptyQueue) {
  EXPECT_TRUE(Store{directory_}.read().entries.empty());
  EXPECT_TRUE(Store{directory_ + "/not/there"}.read().entries.empty());
  EXPECT_FALSE(Store{directory_}.is_started());
}

TEST_F(StoreTest, FilesAreForTheirOwnerAlone) {
  Store store{directory_};
  ::umask(0);
  store.change(&add);
  ::umask(022);
  for (const auto& file : std::filesystem::directory_iterator{directory_}) {
    struct stat info {};
    ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U) << file.path();
  }
}

TEST_F(StoreTest, ManyAddersAtOnceLoseNothing) {
  constexpr int kProcesses = 12;
  constexpr int kEach = 10;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      Store store{directory_};
      for (int n = 0; n < kEach; ++n) {
        store.change(&add);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const auto ids = ids_of(Store{directory_}.read());
  ASSERT_EQ(ids.size(), static_cast<std::size_t>(kProcesses * kEach));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i], i + 1);
  }
}

TEST_F(StoreTest, AProcessThatDiesDuringAChangeLeavesTheQueueAsItWas) {
  Store store{directory_};
  store.change(&add);
  const pid_t child = ::fork();
  if (child == 0) {
    Store{directory_}.change([](Queue& queue) {
      add(queue);
      ::raise(SIGKILL);
    });
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  std::ofstream{path() + ".tmp"} << "{\"sch";  // as left by a process that died while writing
  EXPECT_THAT(ids_of(store.read()), ElementsAre(1));
  store.change(&add);  // its lock was released
  EXPECT_THAT(ids_of(store.read()), ElementsAre(1, 2));
}

TEST_F(StoreTest, AChangeThatThrowsLeavesTheQueueAsItWas) {
  Store store{directory_};
  store.change(&add);
  EXPECT_THROW(store.change([](Queue& queue) {
    add(queue);
    throw std::runtime_error{"no"};
  }),
               std::runtime_error);
  EXPECT_THAT(ids_of(store.read()), ElementsAre(1));
  Store{directory_}.change(&add);  // the lock was released
}

TEST_F(StoreTest, ADamagedFileIsNamedAndNeverOverwrittenUnasked) {
  put("{\"schema\":1,\"entr");
  Store store{directory_};
  EXPECT_EQ(error_of([&] { (void)store.read(); }), EBADMSG);
  EXPECT_EQ(error_of([&] { store.change(&add); }), EBADMSG);
  EXPECT_EQ(text_of(path()), "{\"schema\":1,\"entr");
  EXPECT_EQ(error_of([&] { (void)unfinished(directory_); }), EBADMSG);
  store.discard();
  EXPECT_TRUE(store.read().entries.empty());
}

TEST_F(StoreTest, AHugeFileIsNotRead) {
  put("");
  std::filesystem::resize_file(path(), kLongestText + 1);
  EXPECT_EQ(error_of([&] { (void)Store{directory_}.read(); }), EFBIG);
}

TEST_F(StoreTest, AQueueThatHasGrownTooLongIsNotWritten) {
  Store store{directory_};
  store.change(&add);
  EXPECT_EQ(error_of([&] {
              store.change([](Queue& queue) {
                add(queue);
                queue.entries.back().argv.emplace_back(kLongestText, 'x');
              });
            }),
            EFBIG);
  EXPECT_THAT(ids_of(store.read()), ElementsAre(1));
}

TEST_F(StoreTest, OnlyAPrivateRegularFileOfOurOwnIsUsed) {
  Store store{directory_};
  std::filesystem::create_symlink("/etc/passwd", path());
  EXPECT_EQ(error_of([&] { (void)store.read(); }), ELOOP);
  std::filesystem::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { (void)store.read(); }), EINVAL);
  std::filesystem::remove(path());
  put(to_text({}));
  ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
  EXPECT_EQ(error_of([&] { (void)store.read(); }), EPERM);
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { (void)store.read(); }), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path().c_str(), 12345, 12345), 0);
    EXPECT_EQ(error_of([&] { (void)store.read(); }), EPERM);
  }
}

TEST_F(StoreTest, OneStarterAtATimeForAsLongAsItLives) {
  Store first{directory_};
  ASSERT_TRUE(first.become_starter());
  EXPECT_TRUE(Store{directory_}.is_started());
  EXPECT_FALSE(Store{directory_}.become_starter());
  first.change(&add);  // which releases the other byte
  EXPECT_TRUE(Store{directory_}.is_started());
  first = Store{directory_};
  EXPECT_FALSE(Store{directory_}.is_started());
}

TEST_F(StoreTest, AWatchReportsEveryChange) {
  Store store{directory_};
  const auto watch = store.watch();
  if (!watch.is_open()) {
    GTEST_SKIP() << "inotify has no instance left";
  }
  pollfd polled{watch.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&polled, 1, 0), 0);
  Store{directory_}.change(&add);
  EXPECT_EQ(::poll(&polled, 1, 5'000), 1);
}

TEST_F(StoreTest, UnfinishedEntriesAreThoseWithoutAResult) {
  Store store{directory_};
  const auto fill = [](Queue& queue) {
    queue =
        queue_of({State::Passed, State::Failed, State::Running, State::Queued, State::Interrupted});
    queue.starter = Starter{};
  };
  store.change(fill);
  const auto states = [&] {
    std::vector<State> out;
    for (const Entry& entry : unfinished(directory_)) {
      out.push_back(entry.state);
    }
    return out;
  };
  EXPECT_THAT(states(), ElementsAre(State::Interrupted, State::Queued, State::Interrupted));
  ASSERT_TRUE(store.become_starter());
  EXPECT_THAT(states(), ElementsAre(State::Running, State::Queued, State::Interrupted));
}

}  // namespace
}  // namespace onelane::queue
