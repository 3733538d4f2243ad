#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "core/journal/journal.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {

/// A record with no field at its default.
inline Record full_record() {
  Record record;
  record.id = "abcdefghijk";
  record.project = "/home/me/project";
  record.lane = "/home/me/project/.git/onelane";
  record.tool = "make";
  record.argv = {"make", "-j8", "", "CFLAGS=-O2 -g", "check"};
  record.cwd = "/home/me/project/src";
  record.branch = "feature/caf\u00e9";
  record.label = "nightly";
  record.cls = "lane";
  record.user = "me";
  record.uid = 1000;
  record.tty = "pts/3";
  record.agent = "ci";
  record.queued_wall_ms = 1'795'000'000'001;
  record.waited_ms = 2;
  record.started_wall_ms = 1'795'000'000'003;
  record.ended_wall_ms = 1'795'000'000'004;
  record.duration_ms = -5;
  record.code = 0;
  record.signal = 15;
  record.reason = Reason::TreeMemory;
  record.peak_tree_kb = 6;
  record.peak_process_kb = 7;
  record.peak_processes = 8;
  record.cpu_ms = 9;
  record.read_bytes = ~std::uint64_t{0};
  record.written_bytes = 10;
  record.context = {1, 2, 3, 4, 5, 6, ~std::uint64_t{0}, 8};
  record.kept = {{11, 12, "redis-server *:6379"}, {13, 14, "sccache"}};
  record.ended_leftovers = 15;
  record.survivors = {{16, 17, "stuck"}};
  record.empty = true;
  record.fence = 18;
  record.warnings = 19;
  record.orphans_ended = 20;
  record.attempt = 2;
  record.parts = 21;
  record.queue_start = "startstart2";
  record.jobs = {"jobjobjob22", "jobjobjob23"};
  record.joined = "joinjoin222";
  record.same = "0123456789abcdef.0123456789abcdef0123456789abcdef";
  record.same_boot_ns = 22;
  record.card = R"({"limit":"memory","sizes":[1,2.5,null]})";
  return record;
}

inline Record small_record(const std::string& id, std::uint64_t fence = 0) {
  Record record;
  record.id = id;
  record.fence = fence;
  return record;
}

/// A state directory of its own for each test.
class SceneTest : public testing::Test {
 protected:
  SceneTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    fd_ = sys::open_file(directory_, O_RDONLY | O_DIRECTORY);
  }
  ~SceneTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string at(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] std::string journal() const { return at(kJournalName); }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream{path, std::ios::binary | std::ios::app} << text;
  }
  static std::string text(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  bool add(const Record& record, const Rotation& rotation = {}) const {
    return append(fd_.get(), record, rotation);
  }
  /// Fences of all records, in order.
  [[nodiscard]] std::vector<std::uint64_t> fences(Order order = Order::OldestFirst) const {
    std::vector<std::uint64_t> out;
    for_each(directory_, order, [&](std::string_view line) {
      if (const auto record = parse(line)) {
        out.push_back(record->fence);
      }
      return true;
    });
    return out;
  }
  /// Runs `body` in a child, which exits with its result; returns the wait status.
  static int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(body());
    }
    int status = -1;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  std::string directory_;
  sys::FileDescriptor fd_;
};

}  // namespace onelane::journal
