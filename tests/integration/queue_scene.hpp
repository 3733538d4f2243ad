#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/workplace.hpp"

namespace onelane::test {

/// An adopted project with an empty queue, outside CI.
class QueueTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  QueueTest() { shop_.must({"init"}); }

  [[nodiscard]] std::string onelane() { return shop_.sandbox().root() + "/admin/onelane"; }
  static Words queue_words(const std::string& part, const Words& words) {
    Words out{"queue", part};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }
  Ended queue(const std::string& part, const Words& words = {}) {
    return shop_.onelane(queue_words(part, words));
  }
  /// As queue(), but fails the test unless it ends with 0 and prints no message.
  std::string must_queue(const std::string& part, const Words& words = {}) {
    return shop_.must(queue_words(part, words)).out;
  }
  /// `queue add -- COMMAND`, which must succeed.
  void add(const Words& command) {
    Words words{"--"};
    words.insert(words.end(), command.begin(), command.end());
    must_queue("add", words);
  }
  [[nodiscard]] Running start_queue(const Words& words = {}) {
    Words argv = queue_words("start", words);
    argv.insert(argv.begin(), onelane());
    return shop_.start(argv);
  }

  [[nodiscard]] nlohmann::json status() {
    return nlohmann::json::parse(must_queue("status", {"--json"}));
  }
  /// "1 passed", "2 queued" … in the order of the queue.
  [[nodiscard]] Words states() {
    Words out;
    const nlohmann::json now = status();
    for (const auto& entry : now.at("entries")) {
      out.push_back(std::to_string(entry.at("id").get<int>()) + " " +
                    entry.at("state").get<std::string>());
    }
    return out;
  }
  [[nodiscard]] nlohmann::json json_of(const Words& words) {
    return nlohmann::json::parse(shop_.must(words).out);
  }
  [[nodiscard]] Words texts() { return shop_.sandbox().texts(); }

  Workplace shop_;
};

}  // namespace onelane::test
