#include "multicall/job/coalesce/tree_state.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/settings/sha256.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/job/capture/terminal.hpp"
#include "multicall/shim/pause.hpp"

namespace onelane::multicall::coalesce {
namespace {

constexpr int kDeepest = 8;  ///< Levels of repositories inside each other.

/// Why there is no state.
struct NoState {
  std::string why;
};

/// Takes the text before the next `end` off `rest`.
std::string_view take_until(std::string_view& rest, char end) {
  const std::string_view taken = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(rest.size(), taken.size() + 1));
  return taken;
}

/// Only what git needs to find its files: of all its configuration just the repository's own.
std::vector<std::string> git_environment() {
  std::vector<std::string> list{"LC_ALL=C",
                                "GIT_OPTIONAL_LOCKS=0",
                                "GIT_TERMINAL_PROMPT=0",
                                "GIT_NO_LAZY_FETCH=1",
                                "GIT_CONFIG_NOSYSTEM=1",
                                "GIT_CONFIG_GLOBAL=/dev/null"};
  for (const char* name : {"PATH", "HOME", "XDG_CONFIG_HOME"}) {  // HOME: the user's ignore file
    if (const char* value = std::getenv(name)) {
      list.push_back(std::string{name} + "=" + value);
    }
  }
  return list;
}

/// One look at a work tree and at the repositories below it.
class Look {
 public:
  Look(const std::string& git, Patience& patience, std::uint64_t bytes)
      : git_{git}, patience_{patience}, bytes_left_{bytes}, environment_{git_environment()} {}

  /// Adds the repository that contains `directory`; its work tree must be `root`, unless `root` is
  /// empty.
  void add_repository(const std::string& directory, const std::string& root, int depth) {
    if (depth > kDeepest) {
      throw NoState{"too many repositories inside each other"};
    }
    const std::string head =
        answer(directory, {"rev-parse", "--show-toplevel", "HEAD", "--symbolic-full-name", "HEAD"});
    std::string_view rest = head;
    const std::string top{take_until(rest, '\n')};
    if (!root.empty() && top != root) {
      throw NoState{root + " is not a work tree of its own"};
    }
    add("head", rest);
    add_listed(top, depth);
    const std::string changed =
        answer(top, {"diff-files", "-z", "--raw", "--ignore-submodules=all"});
    for (rest = changed; !rest.empty();) {
      (void)take_until(rest, '\0');  // modes and ids are in the index, which has been added
      add_file(top, take_until(rest, '\0'));
    }
  }

  [[nodiscard]] std::string digits() const { return hash_.hex().substr(0, 32); }

 private:
  std::string answer(const std::string& directory, const std::vector<std::string>& words) {
    Query query;
    query.argv = {git_,
                  "-c",
                  "core.fsmonitor=false",
                  "-c",
                  "core.trustctime=true",
                  "-c",
                  "core.checkStat=default"};
    query.argv.insert(query.argv.end(), words.begin(), words.end());
    query.directory = directory;
    query.environment = environment_;
    auto out = ask(query, patience_);
    if (!out) {
      throw NoState{patience_.goes_on() ? "git " + words.front() + " fails in " + directory
                                        : "it takes too long"};
    }
    return std::move(*out);
  }

  /// Adds a name and its content, each after its length, so that no two inputs hash alike.
  void add(std::string_view name, std::string_view text) {
    hash_.add(std::to_string(name.size()) + ":" + std::to_string(text.size()) + ":");
    hash_.add(name);
    hash_.add(text);
  }

  /// Adds the index with all its ids, and the files that git does not compare with it.
  void add_listed(const std::string& top, int depth) {
    const std::string listed =
        answer(top, {"ls-files", "-z", "-v", "-s", "--cached", "--others", "--exclude-standard"});
    add("listed", listed);
    for (std::string_view rest = listed; !rest.empty();) {
      std::string_view line = take_until(rest, '\0');
      const char tag = line.empty() ? ' ' : line.front();
      line.remove_prefix(std::min<std::size_t>(line.size(), 2));
      if (tag == '?') {
        line.ends_with('/') ? add_repository_below(top, line, depth) : add_file(top, line);
        continue;
      }
      const std::string_view path = line.substr(std::min(line.find('\t'), line.size() - 1) + 1);
      if (line.starts_with("160000 ")) {
        add_repository_below(top, path, depth);
      } else if (tag == 'S' || (tag >= 'a' && tag <= 'z')) {
        add_file(top, path);  // skip-worktree, assume-unchanged
      }
    }
  }

  /// Adds a submodule, or an untracked repository.
  void add_repository_below(const std::string& top, std::string_view path, int depth) {
    while (path.ends_with('/')) {
      path.remove_suffix(1);
    }
    const std::string below = top + "/" + std::string{path};
    std::error_code error;
    const bool is_there = !std::filesystem::is_empty(below, error) && !error;
    add(path, is_there ? "repository" : "none");
    if (is_there) {
      add_repository(below, std::filesystem::canonical(below, error), depth + 1);
    }
  }

  void add_file(const std::string& top, std::string_view path) {
    const std::string name = top + "/" + std::string{path};
    struct stat info {};
    if (!patience_.goes_on()) {
      throw NoState{"it takes too long"};
    }
    if (::lstat(name.c_str(), &info) != 0) {
      add(path, "none");
      return;
    }
    add(path, std::to_string(info.st_mode));
    if (S_ISLNK(info.st_mode)) {
      std::error_code error;
      add("link", std::filesystem::read_symlink(name, error).native());
    } else if (S_ISREG(info.st_mode)) {
      add_content(name);
    }
  }

  void add_content(const std::string& name) {
    const auto file = sys::try_open_file(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file.is_open()) {
      throw NoState{name + " cannot be read"};
    }
    chunk_.resize(std::size_t{1} << 20U);
    std::uint64_t size = 0;
    for (;;) {
      const long got = sys::read_up_to(file.get(), chunk_.data(), chunk_.size());
      if (got < 0 || !patience_.goes_on() || static_cast<std::uint64_t>(got) > bytes_left_) {
        throw NoState{got < 0               ? name + " cannot be read"
                      : patience_.goes_on() ? "there is too much to read"
                                            : "it takes too long"};
      }
      if (got == 0) {
        break;
      }
      bytes_left_ -= static_cast<std::uint64_t>(got);
      size += static_cast<std::uint64_t>(got);
      hash_.add(std::string_view{chunk_}.substr(0, static_cast<std::size_t>(got)));
    }
    add("size", std::to_string(size));
  }

  const std::string& git_;
  Patience& patience_;
  std::uint64_t bytes_left_;
  std::vector<std::string> environment_;
  settings::Sha256 hash_;
  std::string chunk_;
};

std::vector<char*> pointers_into(const std::vector<std::string>& list) {
  std::vector<char*> pointers;
  for (const std::string& text : list) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // NOLINT: execve(2) changes nothing
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// Runs after fork(2): must not allocate or throw.
[[noreturn]] void become(const char* directory, char** argv, char** environment, int out,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const bool is_ready = ::getppid() == parent && null >= 0 && ::dup2(null, 0) >= 0 &&
                        ::dup2(null, 2) >= 0 && ::dup2(out, 1) >= 0 && ::chdir(directory) == 0;
  if (is_ready) {
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    for (int signal = 1; signal < NSIG; ++signal) {
      ::signal(signal, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(argv[0], argv, environment);
  }
  ::_exit(127);
}

/// Reads up to the end of the stream; false if the patience is over or there is too much.
bool read_all(int fd, std::size_t longest, Patience& patience, std::string& out) {
  std::string chunk(std::size_t{64} << 10U, '\0');
  while (patience.goes_on() && out.size() <= longest) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(patience.until - sys::monotonic_time());
    pollfd polled[2] = {{fd, POLLIN, 0}, {patience.signals->fd(), POLLIN, 0}};
    (void)::poll(polled, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (polled[0].revents == 0) {
      continue;
    }
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got == 0) {
      return true;
    }
    out.append(chunk, 0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  return false;
}

}  // namespace

TreeState tree_state_of(const std::string& directory, const std::string& git,
                        const process::Signals& signals, const Bounds& bounds) {
  Patience patience{&signals, sys::monotonic_time() + bounds.time};
  TreeState state;
  try {
    Look look{git, patience, bounds.bytes};
    look.add_repository(directory, "", 0);
    state.digits = look.digits();
  } catch (const NoState& none) {
    state.why = none.why;
  } catch (const sys::SystemError& failure) {
    state.why = failure.what();
  }
  state.signal = patience.signal;
  return state;
}

bool Patience::goes_on() {
  signal = signal != 0 ? signal : pause(*signals, std::chrono::milliseconds{0});
  return signal == 0 && sys::monotonic_time() < until;
}

std::optional<std::string> ask(const Query& query, Patience& patience) {
  const std::vector<char*> argv = pointers_into(query.argv);
  const std::vector<char*> environment = pointers_into(query.environment);
  capture::Ends ends = capture::make_pipe();
  const pid_t self = ::getpid();
  const pid_t pid = capture::split();
  if (pid == 0) {
    become(query.directory.c_str(), const_cast<char**>(argv.data()),
           const_cast<char**>(environment.data()), ends.write.get(), self);
  }
  ends.write.reset();
  std::string out;
  const bool is_whole = read_all(ends.read.get(), query.longest, patience, out);
  if (!is_whole) {
    (void)::kill(-pid, SIGKILL);  // what it has started, if it has reached its own session
    (void)::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return is_whole && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? std::optional{std::move(out)}
                                                                   : std::nullopt;
}

}  // namespace onelane::multicall::coalesce
