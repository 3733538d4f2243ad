#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shims/shim.hpp"

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
namespace onelane::shims {

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

}  // namespace onelane::shims
