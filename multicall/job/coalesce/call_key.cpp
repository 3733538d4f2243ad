#include "multicall/job/coalesce/call_key.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/settings/sha256.hpp"
#include "core/sys/hex.hpp"
#include "core/sys/process.hpp"

namespace onelane::multicall::coalesce {
namespace {

constexpr auto kPerSession = std::to_array<std::string_view>(
    {"CLAUDE_CODE_SSE_PORT", "CODEX_THREAD_ID", "CURSOR_TRACE_ID", "GPG_TTY", "OLDPWD", "PWD",
     "SHLVL", "STY", "TERM_SESSION_ID", "WINDOW", "WINDOWID", "WT_SESSION", "_",
     // Ours: they concern the lane, not the tool.
     "ONELANE_AT", "ONELANE_BATCH", "ONELANE_QUEUE_START", "ONELANE_COALESCE", "ONELANE_HELD",
     "ONELANE_LABEL", "ONELANE_PRIORITY", "ONELANE_QUEUE_TIMEOUT", "ONELANE_QUIET",
     "ONELANE_REJOIN", "ONELANE_VERBOSE", "SEQUENTIAL_EXECUTOR_PID"});

constexpr auto kPerSessionPrefixes =
    std::to_array<std::string_view>({"DBUS_", "DIRENV_", "ITERM_", "KITTY_", "KONSOLE_", "SSH_",
                                     "TMUX", "VSCODE_", "WEZTERM_", "XDG_SESSION_"});

/// These name a descriptor of the caller's; what comes through it is meant for this call alone.
constexpr auto kDescriptors = std::to_array<std::string_view>({"LISTEN_FDS", "NODE_CHANNEL_FD"});

std::string_view name_of(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

Standard standard_of(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  struct stat info {};
  if (flags < 0 || (flags & FD_CLOEXEC) != 0 || ::fstat(fd, &info) != 0) {
    return Standard::Closed;  // close-on-exec: fill_standard_descriptors() opened it
  }
  struct stat null {};
  if (::isatty(fd) == 1) {
    return Standard::Terminal;
  }
  const bool is_null =
      S_ISCHR(info.st_mode) && ::stat("/dev/null", &null) == 0 && info.st_rdev == null.st_rdev;
  const bool is_channel = S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode);
  return is_null ? Standard::Null : is_channel ? Standard::Other : Standard::File;
}

/// $PWD if it names this directory, else its path: a tool may see through which link it was called.
std::string logical_directory() {
  const char* pwd = std::getenv("PWD");
  struct stat named {};
  struct stat here {};
  if (pwd != nullptr && *pwd == '/' && ::stat(pwd, &named) == 0 && ::stat(".", &here) == 0 &&
      is_same_file(named, here)) {
    return pwd;
  }
  char buffer[4096];
  return ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
}

/// What else a tool may find out about the place where it runs.
std::string surroundings_of(const std::array<Standard, 3>& streams) {
  const mode_t mask = ::umask(0);
  (void)::umask(mask);
  std::string text = std::to_string(sys::boot_id());
  for (const unsigned number : {::getuid(), ::geteuid(), ::getgid(), ::getegid(), mask}) {
    text += " " + std::to_string(number);
  }
  for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
    struct rlimit limit {};
    (void)::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    text += " " + std::to_string(limit.rlim_cur);
  }
  for (const char* name : {"mnt", "net", "user", "time"}) {
    struct stat info {};
    (void)::stat((std::string{"/proc/self/ns/"} + name).c_str(), &info);
    text += " " + std::to_string(info.st_ino);
  }
  for (int fd = 0; fd < 3; ++fd) {
    winsize size{};
    if (streams[static_cast<std::size_t>(fd)] == Standard::Terminal &&
        ::ioctl(fd, TIOCGWINSZ, &size) == 0) {
      text += " " + std::to_string(size.ws_row) + "x" + std::to_string(size.ws_col);
    }
  }
  return text;
}

bool names_descriptor(std::string_view word) {
  return word.find("/dev/fd/") != std::string_view::npos ||
         word.find("/proc/self/") != std::string_view::npos;
}

}  // namespace

Streams streams_of() {
  Streams streams;
  for (int fd = 0; fd < 3; ++fd) {
    streams.kinds[static_cast<std::size_t>(fd)] = standard_of(fd);
  }
  struct stat out {};
  struct stat err {};
  streams.has_one_output = streams.kinds[1] == streams.kinds[2] && ::fstat(1, &out) == 0 &&
                           ::fstat(2, &err) == 0 && is_same_file(out, err);
  return streams;
}

CallFacts facts_of(const Call& call) {
  CallFacts facts;
  facts.words.assign(call.argv.begin(), call.argv.end());
  facts.directory = logical_directory();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    facts.environment.emplace_back(*entry);
  }
  facts.streams = streams_of();
  facts.surroundings = surroundings_of(facts.streams.kinds);
  return facts;
}

bool is_per_session(std::string_view name) {
  return std::ranges::find(kPerSession, name) != kPerSession.end() ||
         std::ranges::any_of(kPerSessionPrefixes,
                             [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::uint64_t key_of(std::string_view tool, const CallFacts& facts) {
  settings::Sha256 hash;
  const auto add = [&hash](std::string_view text) {
    hash.add(std::to_string(text.size()) + ":");
    hash.add(text);
  };
  std::vector<std::string_view> environment = facts.environment;
  std::erase_if(environment, [](std::string_view entry) { return is_per_session(name_of(entry)); });
  std::ranges::sort(environment);
  add(tool);
  for (const std::vector<std::string_view>& list : {facts.words, environment}) {
    add(std::to_string(list.size()));
    std::ranges::for_each(list, add);
  }
  add(facts.directory);
  for (const Standard stream : facts.streams.kinds) {
    add(std::string(1, static_cast<char>(stream)));
  }
  add(facts.streams.has_one_output ? "one" : "two");
  add(facts.surroundings);
  const std::uint64_t key = std::strtoull(hash.hex().substr(0, 16).c_str(), nullptr, 16);
  return key == 0 ? 1 : key;
}

std::optional<std::string_view> objection_to(const CallFacts& facts) {
  if (facts.directory.empty()) {
    return "its directory is gone";
  }
  if (facts.streams.kinds[0] == Standard::Other || facts.streams.kinds[0] == Standard::File) {
    return "its standard input may hold something";
  }
  if (facts.streams.kinds[1] == Standard::File || facts.streams.kinds[2] == Standard::File) {
    return "it writes to a file";  // the tool itself must see errors such as a full disk
  }
  if (facts.streams.kinds[1] == Standard::Terminal &&
      facts.streams.kinds[2] == Standard::Terminal && !facts.streams.has_one_output) {
    return "it writes to two terminals";
  }
  if (std::ranges::any_of(facts.words, names_descriptor)) {
    return "one of its words names a descriptor";
  }
  const bool has_channel = std::ranges::any_of(facts.environment, [](std::string_view entry) {
    return std::ranges::find(kDescriptors, name_of(entry)) != kDescriptors.end();
  });
  return has_channel ? std::optional<std::string_view>{"a variable names a descriptor"}
                     : std::nullopt;
}

Standing standing_of(const Call& call, shims::Class cls, const settings::Settings& settings) {
  if (!shims::names_call(settings.coalesce.value, call.name, call.args)) {
    return {0, "COALESCE does not name it"};
  }
  if (cls != shims::Class::Lane) {
    return {0, "only a call that waits for the lane and does not prompt may"};
  }
  const CallFacts facts = facts_of(call);
  if (const auto objection = objection_to(facts)) {
    return {0, *objection};
  }
  return {key_of(call.name, facts), {}};
}

std::string digits_of(std::uint64_t key) {
  std::string text;
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    sys::append_hex(text, static_cast<unsigned char>(key >> (shift - 8)));
  }
  return text;
}

}  // namespace onelane::multicall::coalesce
