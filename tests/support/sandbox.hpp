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

/// Who a tool's name reaches: the tool itself, or onelane in front of it. Whatever a test
/// expects of a tool under Shim must hold under Direct first.
enum class Mode { Direct, Shim };

/// "Direct" or "Shim", for test names.
[[nodiscard]] const char* name_of(Mode mode);

/// One line that a tool appended to the trace file.
struct Event {
  long long time = 0;  ///< Monotonic nanoseconds.
  pid_t pid = 0;
  std::string text;
};

/// A place of its own for one test: a home, a git project that adopted onelane, fake tools
/// named make, git, pytest, npm and vitest, in Shim mode links to onelane before them on PATH.
///
/// Everything started in it carries a mark. The destructor kills what is left of it and
/// fails the test when the test had not said that something would be (`forgive_leftovers`).
/// Needs FAKE_TOOL and, for Shim, ONELANE_BINARY in the environment (CTest sets both).
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
  /// A path below the root that no other call has got.
  [[nodiscard]] std::string fresh_path(std::string_view name);

  /// `name` means the system's tool from here on, not the fake one.
  void use_real(const std::string& name);
  /// Makes `name` (a fake tool behind the scenes) which onelane does not stand before.
  void add_plain_tool(const std::string& name);

  /// Sets or, without a value, removes a variable for all that start from here on.
  void set_environment(const std::string& name, std::optional<std::string> value);
  /// "NAME=value" for every variable, PATH as the mode wants it.
  [[nodiscard]] const std::vector<std::string>& environment() const { return environment_; }

  /// Starts `argv` in the project; argv[0] is looked for in the sandbox's PATH.
  [[nodiscard]] Running start(const std::vector<std::string>& argv, Start options = {});
  /// Starts, waits for the end, gives everything back.
  Ended run(const std::vector<std::string>& argv, Start options = {});

  /// The trace so far.
  [[nodiscard]] std::vector<Event> trace() const;
  /// Texts of the trace that start with `prefix`, in order.
  [[nodiscard]] std::vector<std::string> texts(std::string_view prefix = {}) const;
  /// Waits until the trace has `count` lines with exactly `text`; gives the last of them.
  /// Throws after kDeadline with the trace in the message.
  Event wait_for(std::string_view text, std::size_t count = 1) const;

  /// Living processes of this sandbox, found by mark, by directory or by trace.
  [[nodiscard]] std::vector<pid_t> leftovers() const;
  /// Waits until nothing but `allowed` is left, at most `limit`; what is left then.
  std::vector<pid_t> wait_until_empty(std::chrono::milliseconds limit,
                                      const std::vector<pid_t>& allowed = {}) const;
  /// What is left at the end is killed without failing the test.
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

/// A FIFO that `hold-until` waits at: everybody who comes before or after open() passes.
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
