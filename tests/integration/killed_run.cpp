#include "tests/integration/killed_run.hpp"

#include <signal.h>

#include <stdexcept>

#include "core/sys/process.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using Words = std::vector<std::string>;

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

}  // namespace

pid_t guardian_of(pid_t supervisor) {
  pid_t found = -1;
  eventually([&] {
    for (const auto& stat : sys::descendants_of(supervisor)) {
      if (stat.parent == supervisor && stat.session == stat.id.pid && stat.state != 'Z' &&
          std::string{stat.name.data()} == "onelane-guard") {
        found = stat.id.pid;
      }
    }
    return found > 0;
  });
  return found;
}

WorkerRun::WorkerRun(Sandbox& sandbox, const Words& preparation, const Words& tool_first)
    : gate_{sandbox, "worker-gate"} {
  Words argv{"make"};
  append(argv, tool_first);
  argv.emplace_back("spawn");
  append(argv, preparation);
  append(argv, {"trace", "worker", "hold-until", gate_.path(), "trace", "late", "end",
                "await-trace", "worker", "trace", "ready", "hold-until", gate_.path()});
  running_.emplace(sandbox.start(argv));
  tool_ = sandbox.wait_for("ready").pid;
  worker_ = sandbox.wait_for("worker").pid;
  id_ = status_of(sandbox)["holder"]["id"];
}

void WorkerRun::kill_supervisor() {
  running_->signal(SIGKILL);
  if (!running_->wait().died_of(SIGKILL)) {
    throw std::runtime_error{"the supervisor ended otherwise"};
  }
}

void WorkerRun::kill_both() {
  const pid_t guardian = guardian_of(supervisor());
  running_->signal(SIGSTOP);  // it must not replace the guardian in between
  ::kill(guardian, SIGKILL);
  kill_supervisor();
  if (!eventually([&] { return !is_alive(tool_) && !is_alive(guardian); })) {
    throw std::runtime_error{"the tool or the guardian lives on"};
  }
}

}  // namespace onelane::test
