#pragma once

#include <fstream>
#include <string>

#include "tests/integration/run_scene.hpp"

namespace onelane::test {

/// A project with a commit, the real git, and calls of make that coalesce.
class CoalesceScene : public RunScene {
 protected:
  CoalesceScene() {
    sandbox_.use_real("git");
    sandbox_.set_environment("ONELANE_COALESCE", "make");
    sandbox_.set_environment("ONELANE_QUIET", "1");
    write("tracked", "one\n");
    git({"add", "tracked"});
    git({"commit", "--quiet", "-m", "first"});
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path(name)} << text;
  }
  void git(const Words& words) {
    Words argv{"/usr/bin/git"};
    argv.insert(argv.end(), words.begin(), words.end());
    ASSERT_TRUE(sandbox_.run(argv).exited_with(0));
  }
  /// Starts `words` behind all calls that already wait.
  Running enter(const Words& words, const Start& how = {}) {
    const std::size_t before = status_of(sandbox_)["queue"].size();
    Running waiter = sandbox_.start(words, how);
    EXPECT_TRUE(comes_to_queue(sandbox_, before + 1));
    return waiter;
  }
  [[nodiscard]] std::size_t runs() const { return sandbox_.texts("ran").size(); }
};

}  // namespace onelane::test
