#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "core/sys/process.hpp"
#include "tests/integration/pty_scenario.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;

/// A signal that is passed on a second time comes within a few milliseconds of the first.
constexpr milliseconds kQuiet{80};
/// ONELANE_KILL_TIMEOUT is one second; the rest allows for a busy machine.
constexpr milliseconds kAllOver{4'000};

const char* signal_of(Stimulus stimulus) {
  switch (stimulus) {
    case Stimulus::Interrupt:
      return "INT";
    case Stimulus::Quit:
      return "QUIT";
    case Stimulus::KillTop:
    case Stimulus::KillGroup:
      return "TERM";
    default:
      return "";
  }
}

/// One play: a sandbox, a shell on a terminal, a tool behind a gate.
class Play {
 public:
  Play(const Scenario& scenario, Mode mode) : scenario_{scenario}, sandbox_{mode} {
    sandbox_.add_plain_tool("reader");
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
  }

  Transcript run() {
    start();
    sample();
    if (is_sigkill()) {
      sigkill();
    } else {
      stimulate();
      finish();
    }
    close_up();
    return transcript_;
  }

 private:
  [[nodiscard]] bool is(Shape shape) const { return scenario_.shape == shape; }
  [[nodiscard]] bool is(Stimulus stimulus) const { return scenario_.stimulus == stimulus; }
  [[nodiscard]] bool dies() const { return scenario_.manner == Manner::Dies; }
  [[nodiscard]] bool is_sigkill() const {
    return is(Stimulus::SigkillTop) || is(Stimulus::SigkillGroup);
  }
  [[nodiscard]] Terminal& terminal() { return shell_ ? shell_->terminal() : *leader_; }

  void start() {
    const std::string line = typed_line(scenario_, gate_.path(), reader_gate_.path());
    if (is(Shape::Leader)) {
      std::istringstream words{line};
      const std::vector<std::string> argv{std::istream_iterator<std::string>{words}, {}};
      leader_.emplace(argv, sandbox_.environment(), sandbox_.project());
    } else {
      shell_.emplace(scenario_.shell, sandbox_.environment(), sandbox_.project());
      shell_->type(line);
    }
    tool_ = sandbox_.wait_for("ready").pid;
    roles_[tool_] = "tool";
    pid_t first = tool_;
    if (is(Shape::Nested)) {
      first = sandbox_.wait_for("outer").pid;
      roles_[first] = "outer";
    }
    if (is(Shape::Pipeline)) {
      roles_[sandbox_.wait_for("reader").pid] = "reader";
      terminal().send("hello\n");
      sandbox_.wait_for("read hello");
    }
    if (is(Shape::Background)) {
      shell_->wait_for_prompt();
    }
    top_ = sandbox_.is_shim() ? sys::read_stat(first).value().parent : first;
    require_onelane_on_top();
    group_ = ::getpgid(tool_);
  }

  /// Otherwise the tool would be compared with itself.
  void require_onelane_on_top() const {
    const auto exe = std::filesystem::read_symlink("/proc/" + std::to_string(top_) + "/exe");
    if (sandbox_.is_shim() && exe != std::filesystem::canonical(sandbox_.shims() + "/make")) {
      throw std::runtime_error{"the tool was not started by onelane but by " + exe.string()};
    }
  }

  void sample() {
    const pid_t now = terminal().foreground();
    const bool to_shell = shell_ && now == terminal().leader();
    transcript_.foreground.push_back(now == group_ ? "job" : to_shell ? "shell" : "other");
  }

  void wait_for_quiet() {
    std::size_t seen = sandbox_.trace().size();
    while (eventually([&] { return sandbox_.trace().size() != seen; }, kQuiet)) {
      seen = sandbox_.trace().size();
    }
  }

  /// A child of the supervisor that leads a session. It comes some milliseconds after the
  /// tool; a crash before that is left to the next run, see crash_test.
  [[nodiscard]] bool has_guardian() const {
    return std::ranges::any_of(sys::descendants_of(top_), [this](const sys::ProcessStat& stat) {
      return stat.parent == top_ && stat.session == stat.id.pid;
    });
  }

  [[nodiscard]] bool is_stopped() const {
    const auto stat = sys::read_stat(tool_);
    return stat && stat->state == 'T';
  }

  [[nodiscard]] bool reaches_us() const {
    const bool from_keyboard = is(Stimulus::Interrupt) || is(Stimulus::Quit);
    return !(is(Shape::Background) && from_keyboard);
  }

  void stimulate() {
    switch (scenario_.stimulus) {
      case Stimulus::Interrupt:
        terminal().interrupt();
        break;
      case Stimulus::Quit:
        terminal().quit();
        break;
      case Stimulus::KillTop:
        ::kill(top_, SIGTERM);
        break;
      case Stimulus::KillGroup:
        ::kill(-group_, SIGTERM);
        break;
      case Stimulus::HangUp:
        terminal().hang_up();
        break;
      default:
        suspend();
        break;
    }
    if (dies()) {
      return;
    }
    if (const std::string signal = signal_of(scenario_.stimulus); !signal.empty() && reaches_us()) {
      sandbox_.wait_for("sig " + signal);
    }
    wait_for_quiet();
    if (!is(Stimulus::HangUp)) {
      sample();
    }
  }

  void suspend() {
    if (is(Shape::Leader)) {
      terminal().suspend();  // an orphaned group: the kernel discards the stop
      wait_for_quiet();
      if (is_stopped()) {
        throw std::runtime_error{"stopped, with no shell to continue it"};
      }
      return;
    }
    if (is(Shape::Background)) {
      shell_->type("fg");
      if (!eventually([&] { return terminal().foreground() == group_; })) {
        throw std::runtime_error{"fg did not bring the job to the foreground"};
      }
      wait_for_quiet();  // dash continues a running job too, after it has given it the terminal
    }
    terminal().suspend();
    if (!eventually([&] { return is_stopped(); })) {
      throw std::runtime_error{"Ctrl-Z did not stop the tool"};
    }
    shell_->wait_for_prompt();
    sample();
    const std::size_t continued = sandbox_.texts("sig CONT").size();
    if (is(Stimulus::SuspendThenForeground)) {
      shell_->type("fg");
    } else {
      shell_->command("bg");
    }
    sandbox_.wait_for("sig CONT", continued + 1);
  }

  [[nodiscard]] bool runs_in_background() const {
    return is(Stimulus::SuspendThenBackground) ||
           (is(Shape::Background) && !is(Stimulus::SuspendThenForeground));
  }

  /// Lets tool and reader end, and reads what the shell makes of it.
  void finish() {
    if (shell_ && is(Stimulus::HangUp)) {
      transcript_.status = describe_status(terminal().wait());
      wait_for_quiet();
      open_gates();
      return;
    }
    if (shell_ && runs_in_background()) {
      shell_->start_waiting();
    }
    if (!dies()) {
      open_gates();
    }
    read_status();
  }

  void open_gates() {
    gate_.open();
    reader_gate_.open();
  }

  void read_status() {
    if (!shell_) {
      transcript_.status = describe_status(terminal().wait());
      return;
    }
    const std::string before = shell_->wait_for_prompt();
    if (const auto at = before.find("after "); at != std::string::npos) {
      transcript_.printed = before.substr(at, before.find('.', at) - at);
    }
    transcript_.status = std::to_string(shell_->last_status());
    sample();
  }

  /// The tool cannot see this signal. The shell must, at once; under onelane the tool must be gone
  /// soon after, while its gate is still shut.
  void sigkill() {
    if (is(Shape::Background)) {
      shell_->start_waiting();
    }
    if (sandbox_.is_shim() && !eventually([this] { return has_guardian(); })) {
      throw std::runtime_error{"the supervisor never got a guardian"};
    }
    ::kill(is(Stimulus::SigkillTop) ? top_ : -group_, SIGKILL);
    reader_gate_.open();
    read_status();
    if (!sandbox_.is_shim()) {
      gate_.open();
    }
  }

  void close_up() {
    std::vector<pid_t> allowed;
    if (shell_ && !is(Stimulus::HangUp)) {
      allowed.push_back(terminal().leader());
    }
    for (const pid_t pid : sandbox_.wait_until_empty(kAllOver, allowed)) {
      transcript_.left.push_back(sys::command_line(pid));
    }
    gate_.open();
    std::map<std::string, std::string> roles;
    for (const Event& event : sandbox_.trace()) {
      const bool by_accident = event.text == "sig CONT" && is(Stimulus::HangUp);
      if (const auto role = roles_.find(event.pid); role != roles_.end() && !by_accident) {
        roles[role->second] += event.text + " ";
      }
    }
    transcript_.may_repeat_hang_up = is(Stimulus::HangUp) && scenario_.shell != Shell::Kind::Dash;
    if (!is_sigkill()) {
      transcript_.roles = roles;  // else shim and guardian may have signalled before they killed
    }
    transcript_.lane_is_free = sandbox_.run({"make", "exit", "0"}).exited_with(0);
  }

  Scenario scenario_;
  Sandbox sandbox_;
  Gate gate_{sandbox_, "gate"};
  Gate reader_gate_{sandbox_, "reader-gate"};
  std::optional<Shell> shell_;
  std::optional<Terminal> leader_;
  std::map<pid_t, std::string> roles_;
  pid_t tool_ = -1;
  pid_t top_ = -1;
  pid_t group_ = -1;
  Transcript transcript_;
};

}  // namespace

Transcript play(const Scenario& scenario, Mode mode) {
  return Play{scenario, mode}.run();
}

}  // namespace onelane::test
