#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shims/args.hpp"
#include "shims/shim.hpp"

namespace onelane::shims {

/// How many workers a tool may start. Pure: computes what a call would get, runs and sets nothing.
///
/// Soft bounds only automatic counts: a variable is exported only when the user has set none of its
/// kind, and never above the tool's own automatic choice.
///
///   PYTEST_XDIST_AUTO_NUM_WORKERS   counts for `-n auto` and `-n logical` alone
///   CARGO_BUILD_JOBS, GOMAXPROCS,   lose to the command line; left out when the bound is not
///   RAYON_NUM_THREADS               below the processors, which is what these tools take
///   CMAKE_BUILD_PARALLEL_LEVEL      loses to `cmake --build -j`; left out beside a `-j` or a
///                                   jobserver of make, which it would reset, and beside
///                                   CMAKE_GENERATOR=…Makefiles, whose automatic count is one
///   VITEST_MAX_{FORKS,THREADS,WORKERS}
///                                   beat vitest's command line and its config file. So only
///                                   where both can be seen and name no count: for vitest, and
///                                   for an npm script that is one vitest command
///   PRE_COMMIT_NO_CONCURRENCY       means one worker; exported for a bound of one
///
/// Hard bounds explicit counts too: it lowers larger numbers on the command line (in place: vitest
/// refuses a second --maxWorkers) and in the environment, exports VITEST_MAX_* when neither command
/// line nor config file can be read, and asks for CPU affinity, the only bound that nothing
/// overrides. Numbers within the bound, and values that the tool itself would refuse, stay as they
/// are.

enum class Clamp { Off, Soft, Hard };

struct ClampRequest {
  Clamp mode = Clamp::Soft;
  unsigned workers = 0;         ///< 0: no bound.
  unsigned pytest_workers = 0;  ///< For pytest, wherever it runs; 0: same as `workers`.
  unsigned processors = 1;      ///< Processors that the tool may use; 1 or more.
  bool watches = false;         ///< A watcher: vitest then uses half of the processors by default.
  std::string_view tool;
  Args args;
  const Facts* facts = nullptr;  ///< Borrowed for the call; environment and npm_script.
  /// Text of a file, relative to vitest's root directory; nullopt when it does not exist, empty
  /// when it cannot be read.
  std::function<std::optional<std::string>(std::string_view name)> file;
};

/// Changes to a call. Empty when there is nothing to change.
struct Clamped {
  std::vector<std::pair<std::string, std::string>> environment;  ///< Added or replaced.
  std::optional<std::vector<std::string>> args;                  ///< Only when an argument changed.
  std::vector<std::string> changes;  ///< To what the user set, "-j16 -> -j4"; hard only.
  unsigned affinity = 0;  ///< Number of processors to restrict the call to; 0: same as the caller.
};

[[nodiscard]] Clamped clamp(const ClampRequest& request);

/// Worker counts on command lines. Not for use outside shims/.

/// The value of a text of digits only; numbers too large to represent become the largest value.
[[nodiscard]] std::optional<unsigned long long> plain_number(std::string_view text);

/// The space-separated words of `text`, as views into it.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

/// Arguments with some values replaced; the rest is kept byte for byte.
class Rewritten {
 public:
  explicit Rewritten(Args args) : args_{args} {}
  /// Replaces the last `length` bytes of argument `at` with `value`.
  void replace(std::size_t at, std::size_t length, const std::string& value);
  [[nodiscard]] bool any() const { return !words_.empty(); }
  /// All arguments; empty when nothing was replaced.
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  /// "-j16 -> -j4", "-n 8 -> -n 2".
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

 private:
  Args args_;
  std::vector<std::string> words_;
  std::vector<std::string> changes_;
};

/// `-j` of make: the last one counts; without a number it means no limit.
void lower_make(Args args, unsigned workers, Rewritten& out);

/// `-n` and `--maxprocesses` of pytest-xdist: the last of each counts, and the smaller one applies.
void lower_pytest(Args args, unsigned workers, Rewritten& out);

/// Lowers every worker count of vitest.
void lower_vitest(Args args, unsigned workers, unsigned processors, Rewritten& out);

/// True when make's job count is already set: by `-j` on this make's command line, or by `-j` or a
/// jobserver in MAKEFLAGS.
[[nodiscard]] bool make_has_jobs(const ClampRequest& request);

/// How vitest gets its worker count in this call.
enum class VitestCount {
  Automatic,  ///< Neither the command line nor the config file names one.
  Within,     ///< They name one, not above the bound.
  Above,      ///< The config file names one above the bound, or one that cannot be read.
  Unseen,     ///< Another tool, which may or may not run vitest.
};
[[nodiscard]] VitestCount vitest_count(const ClampRequest& request);

/// True when the config file names a smallest count, which must not exceed the largest.
[[nodiscard]] bool vitest_has_minimum(const ClampRequest& request);

}  // namespace onelane::shims
