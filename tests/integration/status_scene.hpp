#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/integration/lane_scene.hpp"
#include "tests/support/schema.hpp"

namespace onelane::test {

/// `onelane status` in the sandbox's project.
class StatusTest : public testing::Test {
 protected:
  [[nodiscard]] std::string state() const { return sandbox_.project() + "/.git/onelane"; }
  [[nodiscard]] std::vector<std::string> status_words(
      const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv{onelane_of(sandbox_), "status"};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
  }
  /// The text for people; the command must succeed without messages.
  std::string text() {
    const Ended ended = sandbox_.run(status_words());
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_EQ(ended.err, "");
    return ended.out;
  }
  /// The JSON for programs, checked against its schema.
  nlohmann::json json() {
    const Ended ended = sandbox_.run(status_words({"--json"}));
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_EQ(schema_faults(ended.out, "status"), "");
    return nlohmann::json::parse(ended.out);
  }
  /// Writes records of `count` runs of `first` (the tool and its first words) into the journal,
  /// each of `duration`.
  void remember(const std::vector<std::string>& first, std::chrono::milliseconds duration,
                int count = 3) const;

  Sandbox sandbox_{Mode::Shim};
};

}  // namespace onelane::test
