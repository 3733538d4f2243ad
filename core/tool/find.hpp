#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sys/process.hpp"

/// Finds the real tool behind a shim: the first executable of that name on PATH that is not
/// onelane. Nothing here forks or waits; the only exception thrown is std::bad_alloc.
namespace onelane::tool {

/// Identity of a file, whatever its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

/// Our own executable: identity of /proc/self/exe, read once. {0, 0} without /proc; copies and
/// links are then still recognised by their note.
[[nodiscard]] FileId self_file() noexcept;

/// True when the file carries onelane's ELF note (owner "onelane", type 1): a copy of us, another
/// build, or another project's. `fd` must be readable; its offset is kept. One pread(2), rarely
/// two. False for a file that cannot be read.
[[nodiscard]] bool is_onelane(int fd) noexcept;
[[nodiscard]] bool is_onelane(const char* path) noexcept;

/// What a file of the wanted name on PATH is.
enum class Verdict {
  Real,           ///< Can be executed and is not onelane.
  Self,           ///< This very executable, through whatever link.
  OnelaneCopy,    ///< Carries the note.
  NotExecutable,  ///< We may not execute it.
  NotAFile,       ///< A directory, a device, a dangling link.
};

struct Candidate {
  std::string path;  ///< Absolute.
  FileId file;
  Verdict verdict = Verdict::NotAFile;
};

/// Every file called `name` on `path` (PATH's value, nullptr when unset), in order.
[[nodiscard]] std::vector<Candidate> all_candidates(std::string_view name, const char* path);

/// One call of a shim.
struct Request {
  std::string_view name;        ///< The tool, without a directory.
  const char* path = nullptr;   ///< PATH, nullptr when unset: then confstr(_CS_PATH).
  const char* at = nullptr;     ///< ONELANE_AT, nullptr when unset.
  std::span<char* const> args;  ///< argv without argv[0].
  bool restarts = false;        ///< The tool says that it is re-executing itself.
  bool is_lane_call = false;    ///< A nested call that would wait for the lane elsewhere.
};

enum class Outcome {
  Found,
  NotFound,  ///< No executable file of this name except onelane: exit status 127.
  Loop,      ///< The same file called us again and again: `path` names it. Exit status 126.
};

struct Found {
  Outcome outcome = Outcome::NotFound;
  std::string path;  ///< Absolute, to be executed as is.
  std::string at;    ///< ONELANE_AT for the executed tool; opaque.
};

/// The executable to run for a call. Call it before any chdir(2) and in the process that executes
/// or spawns the tool.
///
/// PATH is read left to right; a relative or empty entry is resolved against the current directory,
/// and skipped when that directory is gone. Every file that is not Verdict::Real is skipped.
///
/// Another program's wrapper on PATH may look up the same name again and so come back to us.
/// ONELANE_AT reveals this: it names the tool, the process we executed it from (pid and start
/// time), the file chosen, and a digest of arguments and current directory. It counts only for the
/// same tool and only when that process is this one or at most four levels above; otherwise it is
/// stale, and ignored. When it counts:
///
/// - Executed: the chosen file's own process became this call. Only a wrapper does that, so the
///   search continues after that file, whatever the arguments.
/// - `restarts`: the same, but it is the tool (GNU make reads its makefiles anew), so it is the
///   same file again; after four times in a row as if `restarts` were not set.
/// - Spawned with equal arguments in the same directory: most likely a wrapper; the search
///   continues after that file.
/// - Spawned otherwise: recursion of the real tool (make in a make recipe), so the search starts at
///   the front; from the sixteenth such call in a row it continues after that file.
/// - When there is no other file after it, it is the same file again.
///
/// A row of 16 executed or equal calls to one file, or of 64 calls of any kind, is a Loop. A call
/// more than ten seconds after the last starts a new row: a recipe that watches files and then
/// calls its own make is slow, not a loop.
///
/// Costs one stat(2) for each PATH entry up to the tool, one open and pread for the tool,
/// one read of /proc for our start time. Ancestors are read only when ONELANE_AT names
/// this tool.
[[nodiscard]] Found find_real(const Request& request);

/// True when `at`, the ONELANE_AT in the initial environment of process `id`, says that exactly
/// this process was executed from a lane call (Request::is_lane_call): pid and start time survive
/// execve(2), and no child has the same.
[[nodiscard]] bool is_lane_call(std::string_view at, const sys::ProcessId& id) noexcept;

}  // namespace onelane::tool
