#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/steer_scene.hpp"

namespace onelane::test {

/// `onelane run` with its options, and what the journal says of it.
class RunScene : public SteerScene {
 protected:
  [[nodiscard]] Words run_words(const Words& words) const {
    Words argv{onelane_of(sandbox_), "run"};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }
  Ended run(const Words& words) { return sandbox_.run(run_words(words)); }
  Running start_run(const Words& words) { return sandbox_.start(run_words(words)); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return sandbox_.project() + "/" + name;
  }
  /// Real path of a fake tool: no shim stands before it.
  [[nodiscard]] std::string tool() const { return sandbox_.tools() + "/npm"; }
  [[nodiscard]] std::string journal_path() const { return path(".git/onelane/runs.jsonl"); }
  [[nodiscard]] std::vector<nlohmann::json> journal() const {
    std::vector<nlohmann::json> records;
    std::istringstream lines{contents_of(journal_path())};
    for (std::string line; std::getline(lines, line);) {
      records.push_back(nlohmann::json::parse(line));
    }
    return records;
  }
};

}  // namespace onelane::test
