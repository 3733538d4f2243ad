#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {

/// A lane, the calls that wait in it, and the verbs that steer it.
class SteerScene : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  SteerScene() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
  }

  [[nodiscard]] Words words_of(const Words& words) const {
    Words argv{onelane_of(sandbox_)};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }
  /// `onelane WORDS`.
  Ended onelane(const Words& words) { return sandbox_.run(words_of(words)); }

  /// A `make` that traces `name` in its turn, queued behind all earlier calls.
  Running queue(const std::string& name) {
    const std::size_t before = status_of(sandbox_)["queue"].size();
    Running waiter = sandbox_.start({"make", "trace", name});
    EXPECT_TRUE(comes_to_queue(sandbox_, before + 1));
    return waiter;
  }
  /// Id of the ticket whose command contains `text`.
  std::string id_of(const std::string& text) {
    const auto status = status_of(sandbox_);
    for (const auto& ticket : status["queue"]) {
      if (ticket["command"].get<std::string>().find(text) != std::string::npos) {
        return ticket["id"];
      }
    }
    return status["holder"].is_null() ? "" : status["holder"]["id"].get<std::string>();
  }
  bool comes_to_state(std::size_t position, const std::string& state) {
    return eventually([&] {
      const auto list = status_of(sandbox_)["queue"];
      return list.size() > position && list[position]["state"] == state;
    });
  }

  [[nodiscard]] std::string lane_file() const { return sandbox_.project() + "/.git/onelane/lane"; }

  /// Overwrites header and tickets with bytes that no run writes.
  void spoil_lane() const {
    std::fstream file{lane_file(), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(64);
    file << std::string(67'000, '\x5a');
    ASSERT_TRUE(file.flush());
  }

  /// `onelane WORDS` as a user who has nothing to do with the project. Needs root.
  Ended as_a_stranger(const Words& words) {
    const std::string copy = sandbox_.root() + "/all/onelane";
    if (!std::filesystem::exists(copy)) {  // the stranger may not be able to read the build
      std::filesystem::create_directory(sandbox_.root() + "/all");
      std::filesystem::copy_file(onelane_of(sandbox_), copy);
      ::chmod(sandbox_.root().c_str(), 0755);
    }
    Words argv{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", copy};
    argv.insert(argv.end(), words.begin(), words.end());
    return sandbox_.run(argv);
  }

  Sandbox sandbox_{Mode::Shim};
};

}  // namespace onelane::test
