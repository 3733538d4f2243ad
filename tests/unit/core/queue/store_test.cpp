#include "core/queue/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/queue/text.hpp"
#include "core/sys/error.hpp"
#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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
        if (i % 4 == 0) {
          store.change(&add);
        } else {
          add_to(store, "ADDER=" + std::to_string(i));
        }
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

TEST_F(StoreTest, AddGivesAnIdAndTellsTheSumsAfterIt) {
  Store store{directory_};
  const auto always = [](const Commit&) { return true; };
  Entry entry = full_entry(77);
  entry.state = State::Queued;
  Commit after = store.add(entry, always);
  EXPECT_EQ(entry.id, 1U);
  EXPECT_EQ(after.queued, 1U);
  after = store.add(entry, always);
  EXPECT_EQ(entry.id, 2U);
  EXPECT_EQ(after.entries, 2U);
  after = store.add(entry, [](const Commit& now) {
    EXPECT_EQ(now.entries, 2U);
    return false;
  });
  EXPECT_EQ(after.entries, 2U);
  const Queue queue = store.read();
  ASSERT_EQ(queue.entries.size(), 2U);
  EXPECT_EQ(queue.entries[1].argv, full_entry(0).argv);
  EXPECT_EQ(*queue.entries[1].environment, *full_entry(0).environment);
}

TEST_F(StoreTest, AddKnowsWhatAChangeHasSwitched) {
  Store store{directory_};
  store.change([](Queue& queue) {
    queue.is_closed = true;
    queue.starter = Starter{};
  });
  Entry entry = small_entry(0);
  (void)store.add(entry, [](const Commit& now) {
    EXPECT_TRUE(now.is_closed);
    EXPECT_TRUE(now.has_starter);
    EXPECT_FALSE(now.is_stopping);
    return false;
  });
}

TEST_F(StoreTest, OneEnvironmentIsWrittenOnceHoweverManyAreAdded) {
  Store store{directory_};
  add_to(store);
  const auto first = std::filesystem::file_size(path());
  add_to(store);
  const auto second = std::filesystem::file_size(path());
  add_to(store, "B=2");
  add_to(store, "B=2");
  for (int i = 0; i < 10; ++i) {
    add_to(store, "B=2");
  }
  EXPECT_LT(std::filesystem::file_size(path()), second + 12 * (second - first) + 200);
  const Queue queue = store.read();
  EXPECT_EQ(*queue.entries[1].environment, Environment{"A=1"});
  EXPECT_EQ(*queue.entries.back().environment, Environment{"B=2"});
}

/// The log after two entries were added, with its changes' ends.
struct Written {
  std::string text;
  std::vector<std::size_t> ends;
};

TEST_F(StoreTest, CutAnywhereTheLogKeepsWhatWasConfirmedAndGoesOn) {
  Written written;
  {
    Store store{directory_};
    for (int i = 0; i < 2; ++i) {
      add_to(store, "N=" + std::to_string(i));
      written.ends.push_back(std::filesystem::file_size(path()));
    }
    written.text = text_of(path());
  }
  const std::size_t empty = checkpoint({}, "", 1).size();
  for (std::size_t size = empty; size <= written.text.size(); ++size) {
    put(written.text.substr(0, size));
    const auto whole = static_cast<std::size_t>(
        std::ranges::count_if(written.ends, [&](std::size_t end) { return end <= size; }));
    int cuts = 0;
    Store store{directory_, [&] { ++cuts; }};
    EXPECT_EQ(store.read().entries.size(), whole) << size;
    EXPECT_EQ(cuts, 0) << size;  // who only reads cuts nothing
    add_to(store, "LATER=1");
    const bool is_whole = size == empty || std::ranges::count(written.ends, size) == 1;
    EXPECT_EQ(cuts, is_whole ? 0 : 1) << size;
    const Queue queue = store.read();
    ASSERT_EQ(queue.entries.size(), whole + 1) << size;
    EXPECT_EQ(queue.entries.back().id, whole + 1);
    EXPECT_EQ(*queue.entries.back().environment, Environment{"LATER=1"});
    EXPECT_EQ(cuts, is_whole ? 0 : 1) << size;
  }
}

/// Adds in a child that may write files of `limit` bytes only; its exit code is the errno.
int add_with_limit(const std::string& directory, std::size_t limit) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit room{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &room);
    ::_exit(error_of([&] {
      Store store{directory};
      Entry entry = small_entry(0);
      entry.environment = std::make_shared<Environment>(Environment{"FULL=1"});
      (void)store.add(entry, [](const Commit&) { return true; });
    }));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

TEST_F(StoreTest, OnAFullDiskNothingThatWasConfirmedIsLostAndNothingElseIsThere) {
  Store store{directory_};
  add_to(store);
  const std::string before = text_of(path());
  ASSERT_EQ(add_with_limit(directory_, before.size() + 10'000), 0);
  const std::size_t needed = std::filesystem::file_size(path()) - before.size();
  for (std::size_t room = 0; room < needed; ++room) {
    put(before);
    ASSERT_EQ(add_with_limit(directory_, before.size() + room), EFBIG) << room;
    ASSERT_EQ(text_of(path()), before) << room;
  }
  ASSERT_EQ(add_with_limit(directory_, before.size() + needed), 0);
  EXPECT_THAT(ids_of(store.read()), ElementsAre(1, 2));
}

TEST_F(StoreTest, AChangeThatDoesNotFitLeavesTheQueueAsItWas) {
  Store store{directory_};
  add_to(store);
  const std::string before = text_of(path());
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit room{before.size(), before.size()};
    ::setrlimit(RLIMIT_FSIZE, &room);
    ::_exit(error_of([&] { Store{directory_}.change(&add); }));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), EFBIG);
  EXPECT_EQ(text_of(path()), before);
}

TEST_F(StoreTest, KilledAtAnyMomentAddersLoseNothingThatWasConfirmed) {
  constexpr int kKills = 40;
  int confirmed[2];
  ASSERT_EQ(::pipe(confirmed), 0);
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (Store store{directory_};;) {
        Entry entry = small_entry(0);
        entry.environment = std::make_shared<Environment>(Environment{"I=" + std::to_string(i)});
        (void)store.add(entry, [](const Commit&) { return true; });
        (void)!::write(confirmed[1], &entry.id, sizeof entry.id);
      }
    }
    std::uint64_t first = 0;  // it is in the middle of its next by the time it is killed
    ASSERT_EQ(::read(confirmed[0], &first, sizeof first), static_cast<ssize_t>(sizeof first));
    ::usleep(static_cast<useconds_t>(i * 97 % 1'000));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    std::vector<std::uint64_t> ids{first};
    pollfd more{confirmed[0], POLLIN, 0};
    for (std::uint64_t id = 0; ::poll(&more, 1, 0) == 1;) {
      ASSERT_EQ(::read(confirmed[0], &id, sizeof id), static_cast<ssize_t>(sizeof id));
      ids.push_back(id);
    }
    const auto there = ids_of(Store{directory_}.read());
    for (const std::uint64_t id : ids) {
      EXPECT_EQ(std::ranges::count(there, id), 1) << id;
    }
  }
  ::close(confirmed[0]);
  ::close(confirmed[1]);
}

TEST_F(StoreTest, AFileOfAnEarlierVersionIsReadAndThenTakenOver) {
  put_old(old_text());
  Store store{directory_};
  EXPECT_THAT(ids_of(store.read()), ElementsAre(3, 5, 8));
  EXPECT_TRUE(std::filesystem::exists(old_path()));  // reading changes nothing
  store.change([](Queue& queue) { queue.is_closed = false; });
  EXPECT_FALSE(std::filesystem::exists(old_path()));
  add_to(store);
  const Queue queue = store.read();
  EXPECT_THAT(ids_of(queue), ElementsAre(3, 5, 8, 9));
  EXPECT_EQ(queue.entries[0].argv, full_entry(3).argv);
  EXPECT_EQ(queue.entries[1].state, State::Running);
  EXPECT_EQ(*queue.entries[1].environment, *full_entry(3).environment);
  EXPECT_EQ(queue.starter->queue_start, "startstart2");
}

TEST_F(StoreTest, AnAddTakesItOverAsWell) {
  put_old(old_text());
  Store store{directory_};
  add_to(store);
  EXPECT_FALSE(std::filesystem::exists(old_path()));
  EXPECT_THAT(ids_of(store.read()), ElementsAre(3, 5, 8, 9));
}

TEST_F(StoreTest, WhatAnEarlierVersionAddsLaterComesBehind) {
  Store store{directory_};
  add_to(store);
  put_old(old_text());
  EXPECT_THAT(ids_of(store.read()), ElementsAre(1, 2, 3));  // those without a result
  add_to(store);
  EXPECT_FALSE(std::filesystem::exists(old_path()));
  const Queue queue = store.read();
  EXPECT_THAT(ids_of(queue), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(queue.entries[1].state, State::Running);
}

TEST_F(StoreTest, ACrashBeforeTheOldFileWasRemovedTakesNothingOverTwice) {
  put_old(old_text());
  Store store{directory_};
  store.change([](Queue&) {});
  put_old(old_text());
  EXPECT_THAT(ids_of(store.read()), ElementsAre(3, 5, 8));
  add_to(store);
  EXPECT_FALSE(std::filesystem::exists(old_path()));
  EXPECT_THAT(ids_of(store.read()), ElementsAre(3, 5, 8, 9));
}

TEST_F(StoreTest, ADamagedFileOfAnEarlierVersionIsNamedAndRemovedOnlyWhenAsked) {
  put_old("{\"schema\":1,\"entr");
  Store store{directory_};
  EXPECT_EQ(error_of([&] { (void)store.read(); }), EBADMSG);
  EXPECT_EQ(error_of([&] { add_to(store); }), EBADMSG);
  EXPECT_TRUE(std::filesystem::exists(old_path()));
  store.discard();
  EXPECT_FALSE(std::filesystem::exists(old_path()));
  EXPECT_TRUE(store.read().entries.empty());
}

TEST_F(StoreTest, AnAddToADamagedFileIsRefused) {
  Store store{directory_};
  add_to(store);
  add_to(store);
  std::string text = text_of(path());
  text[text.find("\"argv\"") + 2] ^= 1;
  put(text);
  EXPECT_EQ(error_of([&] { (void)store.read(); }), EBADMSG);
  EXPECT_EQ(error_of([&] { store.change(&add); }), EBADMSG);
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
  std::ofstream{path() + ".tmp"} << "{\"que";  // as left by a process that died while writing
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
                queue.entries.back().argv.emplace_back(kLongestKept, 'x');
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
  put(checkpoint({}, "", 1));
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
