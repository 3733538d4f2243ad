#include "tests/support/sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "core/sys/process.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* kSystemPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
constexpr const char* kShimNames[] = {"git", "make", "npm", "pytest", "vitest"};

std::string needed_program(const char* name, const char* built) {
  const char* value = std::getenv(name);
  const std::string path = value != nullptr ? value : built;
  if (path.empty() || !fs::exists(path)) {
    throw std::runtime_error{std::string{name} + " must name a program: '" + path + "'"};
  }
  return fs::canonical(path);
}

#ifndef ONELANE_BUILT_BINARY
#define ONELANE_BUILT_BINARY ""
#endif
#ifndef ONELANE_BUILT_FAKE_TOOL
#define ONELANE_BUILT_FAKE_TOOL ""
#endif

/// Monotonic nanoseconds.
long long now() {
  return std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count();
}

bool started_between(pid_t pid, long long first, long long last) {
  const auto stat = sys::read_stat(pid);
  const long long tick = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
  const long long start = stat ? static_cast<long long>(stat->id.start) * tick : 0;
  return stat && start >= first - tick && start <= last + tick;
}

std::string fake_tool() {
  return needed_program("FAKE_TOOL", ONELANE_BUILT_FAKE_TOOL);
}
std::string onelane_binary() {
  return needed_program("ONELANE_BINARY", ONELANE_BUILT_BINARY);
}

}  // namespace

const char* name_of(Mode mode) {
  return mode == Mode::Direct ? "Direct" : "Shim";
}

Sandbox::Sandbox(Mode mode) : mode_{mode}, made_{now()} {
  std::string pattern = (fs::temp_directory_path() / "onelane-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error{"mkdtemp " + pattern};
  }
  root_ = fs::canonical(pattern);
  mark_ = fs::path{root_}.filename();
  for (const char* name : {"/home", "/tmp", "/tools", "/shims"}) {
    fs::create_directory(root_ + name);
  }
  const std::string path = (is_shim() ? shims() + ":" : "") + tools() + ":" + kSystemPath;
  environment_ = {"PATH=" + path,
                  "HOME=" + root_ + "/home",
                  "TMPDIR=" + root_ + "/tmp",
                  "TERM=xterm",
                  "LANG=C.UTF-8",
                  "GIT_CONFIG_NOSYSTEM=1",
                  "SANDBOX_ID=" + mark_,
                  "TRACE=" + root_ + "/trace"};
  link_tools();
  make_project();
}

Sandbox::~Sandbox() {
  if (!forgives_) {
    for (const pid_t pid : wait_until_empty(milliseconds{2'000})) {
      ADD_FAILURE() << "left running: " << pid << " " << sys::command_line(pid);
    }
  }
  kill_leftovers();
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void Sandbox::make_project() {
  fs::create_directory(project());
  std::ofstream{root_ + "/home/.gitconfig"}
      << "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n";
  if (!run({"/usr/bin/git", "init", "--quiet"}).exited_with(0)) {
    throw std::runtime_error{"git init failed in " + project()};
  }
  // This directory adopts the project; both modes have it, so that both see the same project.
  fs::create_directory(project() + "/.git/onelane");
}

void Sandbox::link_tools() {
  for (const char* name : kShimNames) {
    fs::create_symlink(fake_tool(), tools() + "/" + name);
    if (is_shim()) {
      fs::create_symlink(onelane_binary(), shims() + "/" + name);
    }
  }
}

std::string Sandbox::fresh_path(std::string_view name) {
  return root_ + "/" + std::string{name} + "-" + std::to_string(++paths_);
}

void Sandbox::use_real(const std::string& name) {
  fs::remove(tools() + "/" + name);
}

void Sandbox::add_plain_tool(const std::string& name) {
  fs::create_symlink(fake_tool(), tools() + "/" + name);
}

void Sandbox::set_environment(const std::string& name, std::optional<std::string> value) {
  std::erase_if(environment_, [&](const std::string& e) { return e.starts_with(name + "="); });
  if (value) {
    environment_.push_back(name + "=" + *value);
  }
}

Running Sandbox::start(const std::vector<std::string>& argv, Start options) {
  if (options.directory.empty()) {
    options.directory = project();
  }
  return start_program(argv, environment_, options);
}

Ended Sandbox::run(const std::vector<std::string>& argv, Start options) {
  return start(argv, std::move(options)).wait();
}

std::vector<Event> Sandbox::trace() const {
  std::vector<Event> events;
  std::ifstream file{root_ + "/trace"};
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    Event event;
    words >> event.time >> event.pid;
    std::getline(words.ignore(1), event.text);
    events.push_back(event);
  }
  return events;
}

std::vector<std::string> Sandbox::texts(std::string_view prefix) const {
  std::vector<std::string> texts;
  for (const Event& event : trace()) {
    if (event.text.starts_with(prefix)) {
      texts.push_back(event.text);
    }
  }
  return texts;
}

Event Sandbox::wait_for(std::string_view text, std::size_t count) const {
  Event last;
  const bool came = eventually([&] {
    std::size_t seen = 0;
    for (const Event& event : trace()) {
      if (event.text == text && ++seen == count) {
        last = event;
        return true;
      }
    }
    return false;
  });
  if (!came) {
    std::string message = "never traced: " + std::string{text} + "; trace:";
    for (const Event& event : trace()) {
      message += "\n  " + std::to_string(event.pid) + " " + event.text;
    }
    for (const pid_t pid : leftovers()) {
      message += "\n  alive: " + std::to_string(pid) + " " + sys::command_line(pid);
    }
    throw std::runtime_error{message};
  }
  return last;
}

std::vector<pid_t> Sandbox::leftovers() const {
  // A pid is ours only if it was at that time: it may have been reused since, or come from another
  // PID namespace, in which case it names an unrelated process here (such as init).
  std::map<pid_t, long long> traced;
  for (const Event& event : trace()) {
    traced[event.pid] = event.time;
  }
  std::vector<pid_t> found;
  for (const pid_t pid : sys::all_pids()) {
    if (pid == ::getpid() || !is_alive(pid)) {
      continue;
    }
    std::error_code unreadable;
    const std::string proc = "/proc/" + std::to_string(pid);
    const auto directory = fs::read_symlink(proc + "/cwd", unreadable).string();
    if (sys::initial_environment(pid, "SANDBOX_ID") == mark_ || directory.starts_with(root_) ||
        (traced.contains(pid) && started_between(pid, made_, traced[pid]))) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<pid_t> Sandbox::wait_until_empty(milliseconds limit,
                                             const std::vector<pid_t>& allowed) const {
  std::vector<pid_t> left;
  eventually(
      [&] {
        left = leftovers();
        std::erase_if(left, [&](pid_t pid) { return std::ranges::count(allowed, pid) > 0; });
        return left.empty();
      },
      limit);
  return left;
}

void Sandbox::kill_leftovers() {
  for (int round = 0; round < 50; ++round) {
    const auto left = leftovers();
    if (left.empty()) {
      return;
    }
    for (const pid_t pid : left) {
      ::kill(pid, SIGKILL);
    }
    ::usleep(10'000);
  }
}

Gate::Gate(Sandbox& sandbox, std::string_view name) : path_{sandbox.fresh_path(name)} {
  if (::mkfifo(path_.c_str(), 0600) != 0) {
    throw std::runtime_error{"mkfifo " + path_};
  }
}

Gate::~Gate() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

void Gate::open() {
  if (fd_ < 0) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }
}

}  // namespace onelane::test
