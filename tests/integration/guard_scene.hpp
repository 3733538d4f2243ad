#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/sandbox.hpp"

namespace onelane::test {

using Words = std::vector<std::string>;

/// A project in which `make` is the hog, behind onelane, and limits are the environment's.
/// The hog's processes are found by a word of their command line, which survives what they do
/// to their environment, session and descriptors.
class GuardScene {
 public:
  GuardScene();
  GuardScene(const GuardScene&) = delete;
  GuardScene& operator=(const GuardScene&) = delete;
  /// Kills what the guard has left of the hogs, and reports it.
  ~GuardScene();

  [[nodiscard]] Sandbox& sandbox() { return sandbox_; }
  /// Sets `name`, as in MEMORY_LIMIT_MB, in the environment.
  void limit(const std::string& name, const std::string& value);

  /// `make`, which is the hog, and its verbs.
  [[nodiscard]] Words hog(const Words& verbs) const;
  /// The hog by its path, to run it outside of onelane or below another command.
  [[nodiscard]] Words bare_hog(const Words& verbs) const;
  /// `onelane run -- argv`.
  [[nodiscard]] Words run_command(const Words& argv) const;
  /// Starts the hog with its verbs, waits for its end and for a free lane.
  Ended run(const Words& verbs);
  Ended onelane(const Words& words);

  /// How many processes of the hogs of this scene are alive.
  [[nodiscard]] std::vector<pid_t> survivors() const;
  /// Expects that no hog is alive or comes back, and that the lane has no holder.
  void expect_nothing_left();
  /// Lines of the journal, oldest first.
  [[nodiscard]] std::vector<std::string> journal() const;
  /// The journal's only line; waits for it.
  [[nodiscard]] std::string only_record() const;
  /// The bytes that `count` says were taken.
  [[nodiscard]] static std::size_t counted_megabytes(const std::string& file);
  [[nodiscard]] std::string hog_program() const { return hog_; }
  [[nodiscard]] const std::string& mark() const { return mark_; }

 private:
  Sandbox sandbox_{Mode::Shim};
  std::string mark_;
  std::string hog_;
  std::string onelane_;
};

/// A flat field of a journal's line: "reason" gives `memory`, "code" gives `137`; ""
/// when it is missing.
[[nodiscard]] std::string field(const std::string& record, std::string_view name);

/// `text`'s lines that contain `word`.
[[nodiscard]] std::vector<std::string> lines_with(const std::string& text, std::string_view word);

Words operator+(Words left, const Words& right);

}  // namespace onelane::test
