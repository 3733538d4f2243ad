#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include "core/queue/queue.hpp"
#include "core/queue/store.hpp"
#include "core/sys/error.hpp"

namespace onelane::queue {

/// An entry with every field set.
inline Entry full_entry(std::uint64_t id) {
  Entry entry;
  entry.id = id;
  entry.argv = {"make", "", "a b\n\"c\"", "caf\xc3\xa9", "\xff\xfe"};
  entry.cwd = "/home/me/caf\xe9";
  entry.environment = std::make_shared<Environment>(Environment{"A=1", "B=\x80", "C="});
  entry.options = {"--timeout", "30"};
  entry.atoms = {"pytest-file", 3, true};
  entry.label = "nightly";
  entry.user = "me";
  entry.agent = "ci";
  entry.is_deferred = true;
  entry.state = State::Failed;
  entry.added_wall_ms = 1'795'000'000'001;
  entry.started_wall_ms = 1'795'000'000'002;
  entry.ended_wall_ms = 1'795'000'000'003;
  entry.code = 2;
  entry.run = "abcdefghijk";
  entry.queue_start = "startstart2";
  return entry;
}

inline Entry small_entry(std::uint64_t id, State state = State::Queued) {
  Entry entry;
  entry.id = id;
  entry.argv = {"true"};
  entry.cwd = "/";
  entry.state = state;
  return entry;
}

/// A file of version 1, as onelane wrote it until it kept a log: full_entry(3), entry 5, which
/// runs, and entry 8, which is queued.
inline std::string old_text() {
  return R"({"closed":true,"entries":[{"added_wall_ms":1795000000001,"agent":"ci","argv":["make","",)"
         R"("a b\n\"c\"","café",{"hex":"fffe"}],"atoms":{"force":true,"size":3,"which":)"
         R"("pytest-file"},"batch":"startstart2","code":2,"cwd":{"hex":"2f686f6d652f6d652f636166e9"},)"
         R"("deferred":true,"ended_wall_ms":1795000000003,"environment":0,"id":3,"label":"nightly",)"
         R"("options":["--timeout","30"],"run":"abcdefghijk","started_wall_ms":1795000000002,)"
         R"("state":"failed","user":"me"},{"added_wall_ms":0,"agent":"","argv":["true"],"batch":)"
         R"("startstart2","cwd":"/","deferred":false,"ended_wall_ms":0,"environment":0,"id":5,"label":)"
         R"("","options":[],"run":"","started_wall_ms":0,"state":"running","user":""},{"added_wall_ms":)"
         R"(0,"agent":"","argv":["true"],"batch":"","cwd":"/","deferred":false,"ended_wall_ms":0,)"
         R"("id":8,"label":"","options":[],"run":"","started_wall_ms":0,"state":"queued","user":""}],)"
         R"("environments":[["A=1",{"hex":"423d80"},"C="]],"next_id":9,"paused_wall_ms":0,"schema":1,)"
         R"("starter":{"batch":"startstart2","pid":7,"since_wall_ms":6,"user":"me"},"stopping":false})"
         "\n";
}

/// A queue of entries 1, 2, 3 … in the given states.
inline Queue queue_of(const std::vector<State>& states) {
  Queue queue;
  for (const State state : states) {
    queue.entries.push_back(small_entry(queue.next_id++, state));
  }
  return queue;
}

inline std::vector<std::uint64_t> ids_of(const Queue& queue) {
  std::vector<std::uint64_t> ids;
  for (const Entry& entry : queue.entries) {
    ids.push_back(entry.id);
  }
  return ids;
}

/// errno of the SystemError that `act` throws, 0 if it throws none.
inline int error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const sys::SystemError& error) {
    return error.code().value();
  }
  return 0;
}

/// A state directory of its own for each test.
class QueueDirectoryTest : public testing::Test {
 protected:
  QueueDirectoryTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "queue-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~QueueDirectoryTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return Store{directory_}.path(); }
  void put(const std::string& text) const {
    std::ofstream{path(), std::ios::binary} << text;
    std::filesystem::permissions(path(), std::filesystem::perms{0600});
  }
  static std::string text_of(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  static void add(Queue& queue) { queue.entries.push_back(small_entry(queue.next_id++)); }
  /// Appends a small entry with an environment.
  static void add_to(Store& store, const std::string& variable = "A=1") {
    Entry entry = small_entry(0);
    entry.environment = std::make_shared<Environment>(Environment{variable});
    (void)store.add(entry, [](const Commit&) { return true; });
  }
  [[nodiscard]] std::string old_path() const {
    return std::filesystem::path{path()}.replace_extension(".json");
  }
  void put_old(const std::string& text) const {
    std::ofstream{old_path(), std::ios::binary} << text;
    std::filesystem::permissions(old_path(), std::filesystem::perms{0600});
  }

  std::string directory_;
};

}  // namespace onelane::queue
