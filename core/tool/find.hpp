#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::tool {

/// Which file it is, whatever its name: hard links and symbolic links are the same file.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

/// Our own executable (/proc/self/exe), read once.
[[nodiscard]] FileId self_file() noexcept;

/// True when the file carries onelane's ELF note (note.cpp): a copy of us, another build,
/// another project's. One open and one read.
[[nodiscard]] bool is_onelane(const char* path) noexcept;

/// What a candidate on PATH is.
enum class Verdict {
  Real,
  Self,           ///< This executable under some name.
  OnelaneCopy,    ///< Carries our note.
  NotExecutable,
  NotAFile,
  Tried,  ///< Not after the candidate that came back to us.
};

struct Candidate {
  std::string path;  ///< Absolute.
  FileId file;
  Verdict verdict = Verdict::Real;
};

/// Every file of that name on PATH, in order; `path` nullptr: the system's default PATH.
[[nodiscard]] std::vector<Candidate> all_candidates(std::string_view name, const char* path);

/// Where to look, and what the environment says about an earlier look.
struct Request {
  std::string_view name;
  const char* path = nullptr;    ///< PATH; nullptr when unset: confstr(_CS_PATH).
  const char* at = nullptr;      ///< ONELANE_AT; nullptr when unset.
  std::span<char* const> args;   ///< Without argv[0].
  bool restarts = false;         ///< The tool executes itself again: the marker says nothing.
};

enum class Outcome { Found, NotFound, Loop };

struct Found {
  Outcome outcome = Outcome::NotFound;
  std::string path;  ///< Absolute.
  std::string at;    ///< Value of ONELANE_AT for the exec.
};

/// Finds the first file of that name on PATH that is no onelane, left to right; relative and
/// empty entries count from the current directory, as in a shell.
///
/// ONELANE_AT is `tool:pid:start:device:inode:digest:hops`, written at every exec: process
/// `pid` became that candidate, with arguments and directory of that digest. A foreign
/// wrapper (volta, mise, a script) that looks up its own name comes back to us that way; then
/// the search goes on *after* that candidate. A tool that calls itself on purpose (make in
/// make, pytest under pytest) must not be sent elsewhere. So a marker counts only when it
/// names this tool, its process is ours (exec) or an ancestor at most four levels up, and
/// either the digest is the same or it has happened eight times in a row. Where nothing is
/// left after the candidate, it is the only one and is taken again; after 16 times in a
/// row with the same digest it is a loop.
[[nodiscard]] Found find_real(const Request& request);

}  // namespace onelane::tool
