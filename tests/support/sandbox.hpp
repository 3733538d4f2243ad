#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/running.hpp"

namespace onelane::test {

/// What a tool's name reaches: the tool itself, or onelane in front of it. Whatever a test expects
/// of a tool under Shim must first hold under Direct.
enum class Mode { Direct, Shim };

/// "Direct" or "Shim", for test names.
[[nodiscard]] const char* name_of(Mode mode);

/// One line that a tool appended to the trace file.
struct Event {
  long long time = 0;  ///< Monotonic nanoseconds.
  pid_t pid = 0;
  std::string text;
};

/// Surroundings for one test: a home, a git project that has adopted onelane, and fake tools named
/// make, git, pytest, npm and vitest; in Shim mode, links to onelane come before them on PATH.
///
/// Every process started in it carries a mark. The destructor kills those that are left and fails
/// the test, unless it expected some (`forgive_leftovers`). Needs FAKE_TOOL and, for Shim,
/// ONELANE_BINARY in the environment (CTest sets both).
class Sandbox {
 public:
  explicit Sandbox(Mode mode);
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] bool is_shim() const { return mode_ == Mode::Shim; }
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string project() const { return root_ + "/project"; }
  [[nodiscard]] std::string shims() const { return root_ + "/shims"; }
  [[nodiscard]] std::string tools() const { return root_ + "/tools"; }
  /// A path below the root that is returned only once.
  [[nodiscard]] std::string fresh_path(std::string_view name);

  /// From here on `name` is the system's tool, not the fake one.
  void use_real(const std::string& name);
  /// Adds `name`, a fake tool without onelane in front of it.
  void add_plain_tool(const std::string& name);

  /// Sets a variable for all programs started from here on; without a value, removes it.
  void set_environment(const std::string& name, std::optional<std::string> value);
  /// "NAME=value" for every variable, with PATH as the mode requires.
  [[nodiscard]] const std::vector<std::string>& environment() const { return environment_; }

  /// Starts `argv` in the project; argv[0] is searched for in the sandbox's PATH.
  [[nodiscard]] Running start(const std::vector<std::string>& argv, Start options = {});
  /// Starts `argv`, waits for its end and returns all output.
  Ended run(const std::vector<std::string>& argv, Start options = {});

  /// The trace so far.
  [[nodiscard]] std::vector<Event> trace() const;
  /// Texts in the trace that start with `prefix`, in order.
  [[nodiscard]] std::vector<std::string> texts(std::string_view prefix = {}) const;
  /// Waits until the trace has `count` lines with exactly `text`; returns the last of them. Throws
  /// after kDeadline with the trace in the message.
  Event wait_for(std::string_view text, std::size_t count = 1) const;

  /// Living processes of this sandbox, found by mark, by directory or by trace.
  [[nodiscard]] std::vector<pid_t> leftovers() const;
  /// Waits until only `allowed` is left, at most `limit`; returns what is left then.
  std::vector<pid_t> wait_until_empty(std::chrono::milliseconds limit,
                                      const std::vector<pid_t>& allowed = {}) const;
  /// Processes left at the end are killed without failing the test.
  void forgive_leftovers() { forgives_ = true; }

 private:
  void make_project();
  void link_tools();
  void kill_leftovers();

  Mode mode_;
  long long made_;  ///< Monotonic nanoseconds.
  std::string mark_;
  std::string root_;
  std::vector<std::string> environment_;
  bool forgives_ = false;
  int paths_ = 0;
};

/// A FIFO that `hold-until` waits for: after open(), every waiter passes, however late it comes.
class Gate {
 public:
  explicit Gate(Sandbox& sandbox, std::string_view name = "gate");
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();
  [[nodiscard]] const std::string& path() const { return path_; }
  void open();

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace onelane::test
