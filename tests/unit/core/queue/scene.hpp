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

  std::string directory_;
};

}  // namespace onelane::queue
