#include "multicall/verbs/status.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

int show_once(StatusForm form, const Paint& paint) {
  const auto project = status_source();
  if (!project) {
    return 1;
  }
  ProjectView view = project->look();
  measure(view.lane);
  if (view.git) {
    measure(*view.git);
  }
  if (form == StatusForm::Json) {
    print_json(json_of(view));
  } else {
    print_fenced(text_of(view, paint));
  }
  return 0;
}

int command_status(std::span<char*> args) {
  Options app{
      "Show who holds the lane of this project, who waits and for about how long, which services "
      "and daemons run, what is left of ended runs, and the limits of a call made here.",
      "onelane status"};
  bool as_json = false;
  bool watches = false;
  Paint::When colour = Paint::When::Auto;
  app.add_flag("--json", as_json,
               "one JSON object: schema, project, holder, queue, …; with --watch one per line");
  app.add_flag("--watch", watches,
               "go on until Ctrl-C: redrawn on a terminal, elsewhere printed again on each change");
  add_colour(app, colour);
  app.footer(exit_codes({{1, "no project here has adopted onelane, or its lane cannot be read"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const Paint paint{1, colour};
  const auto form = as_json ? StatusForm::Json : StatusForm::Text;
  return watches ? watch_status(form, paint) : show_once(form, paint);
}

using nlohmann::json;

constexpr int kTickMs = 1000;

/// What happened to the screen since it was drawn.
enum class Disturbance { None, Continued, Resized, Unread };

/// Wakes when a file in the lanes' directories is written, the terminal is resized, we are
/// continued after a stop, or standard output has no reader any more; otherwise once a second.
/// Without inotify (its limits are per user) only the second wakes it.
class Alarm {
 public:
  Alarm() : inotify_{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)} {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGWINCH);
    ::sigaddset(&set, SIGCONT);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    signals_ = sys::FileDescriptor{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  }

  void watch(const std::string& state_dir) const {
    constexpr std::uint32_t kAny = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_TO;
    for (const std::string& directory : {state_dir, state_dir + "/git"}) {
      (void)::inotify_add_watch(inotify_.get(), directory.c_str(), kAny);
    }
  }

  [[nodiscard]] Disturbance wait() const {
    std::array<pollfd, 3> polled{
        {{inotify_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {1, 0, 0}}};
    (void)::poll(polled.data(), polled.size(), kTickMs);
    if ((polled[2].revents & (POLLERR | POLLHUP)) != 0) {
      return Disturbance::Unread;
    }
    std::array<char, 4096> buffer{};
    while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) {
    }
    Disturbance found = Disturbance::None;
    signalfd_siginfo arrived{};
    while (::read(signals_.get(), &arrived, sizeof arrived) > 0) {
      found = arrived.ssi_signo == SIGWINCH ? Disturbance::Resized
              : found == Disturbance::None  ? Disturbance::Continued
                                            : found;
    }
    return found;
  }

 private:
  sys::FileDescriptor inotify_;
  sys::FileDescriptor signals_;
};

/// What is shown, without the fields that change every second.
json lasting(json value) {
  for (const char* name : {"waited_ms", "running_ms", "eta_ms", "rejoin_ms", "memory_kb",
                           "processes", "age_seconds"}) {
    if (value.is_object()) {
      value.erase(name);
    }
  }
  for (json& part : value) {
    if (part.is_structured()) {
      part = lasting(std::move(part));
    }
  }
  return value;
}

/// `line` cut to `width` columns; colours take no columns and are always reset.
std::string cut(std::string_view line, std::size_t width) {
  std::string out;
  std::size_t columns = 0;
  bool escaped = false;
  for (const char c : line) {
    escaped = escaped || c == '\033';
    const bool is_first_byte = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    columns += !escaped && is_first_byte ? 1 : 0;
    if (escaped || columns <= width) {
      out.push_back(c);
    }
    escaped = escaped && c != 'm';
  }
  return out;
}

/// The lines last drawn on a terminal, drawn over in place: what was on the screen before stays
/// above.
class Screen {
 public:
  void draw(std::string_view text) {
    if (::tcgetpgrp(1) != ::getpgrp()) {
      return;  // in the background: the screen is another job's
    }
    winsize size{};
    const bool known = ::ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 && size.ws_col > 1;
    const std::size_t rows = known ? size.ws_row : 24;
    const std::size_t columns = known ? size.ws_col : 80;
    std::string out = clears_      ? "\033[H\033[2J"
                      : rows_ == 0 ? "\r"
                                   : fmt::format("\r\033[{}A", rows_);
    clears_ = false;
    rows_ = 0;
    while (!text.empty() && rows_ + 1 < rows) {  // the last row is the cursor's
      const std::size_t end = text.find('\n');
      const bool is_cut_off = rows_ + 2 == rows && end + 1 < text.size();
      out += (is_cut_off ? "…" : cut(text.substr(0, end), columns - 1)) + "\033[K\n";
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++rows_;
    }
    print(out + "\033[J");
  }

  /// After a stop, other programs have written below our lines: begin again at the cursor. After a
  /// resize, lines may have wrapped anywhere: begin again on a clear screen.
  void note(Disturbance what) {
    rows_ = what == Disturbance::None ? rows_ : 0;
    clears_ = clears_ || what == Disturbance::Resized;
  }

 private:
  std::size_t rows_ = 0;
  bool clears_ = false;
};

bool draws_in_place() {
  const char* term = std::getenv("TERM");
  return ::isatty(1) == 1 && term != nullptr && *term != '\0' && std::string_view{term} != "dumb";
}

/// The steps of watch_status() and the state they share.
class Watching {
 public:
  Watching(StatusForm form, const Paint& paint)
      : form_{form}, paint_{paint}, in_place_{form == StatusForm::Text && draws_in_place()} {}

  int run() {
    for (;;) {
      const auto project = status_source();
      if (!project) {
        return 1;
      }
      alarm_.watch(project->state_dir());
      do {
        show(*project);
        const Disturbance what = alarm_.wait();
        if (what == Disturbance::Unread) {
          return 0;
        }
        screen_.note(what);
      } while (project->is_current());
    }
  }

 private:
  void show(ProjectWatch& project) {
    ProjectView view = project.look();
    if (!in_place_) {
      json now = lasting(json_of(view));
      if (now == shown_) {
        return;
      }
      shown_ = std::move(now);
    }
    measure(view.lane);
    if (view.git) {
      measure(*view.git);
    }
    if (in_place_) {
      screen_.draw(text_of(view, paint_));
    } else if (form_ == StatusForm::Json) {
      print_json(json_of(view));
    } else {
      print_fenced((is_first_ ? "" : "\n") + text_of(view, paint_));
    }
    is_first_ = false;
  }

  StatusForm form_;
  const Paint& paint_;
  bool in_place_;
  bool is_first_ = true;
  Alarm alarm_;
  Screen screen_;
  json shown_;
};

}  // namespace

constinit const Command verbs::status{
    "status", "who holds the lane, who waits", &command_status, {}, Group::Everyday};

std::unique_ptr<ProjectWatch> status_source() {
  auto lanes = lanes_here();
  if (!lanes) {
    say_not_adopted();
    return nullptr;
  }
  try {
    return std::make_unique<ProjectWatch>(std::move(*lanes));
  } catch (const sys::SystemError& failure) {
    say_always(failure.what());  // another user's lane
    return nullptr;
  }
}

int watch_status(StatusForm form, const Paint& paint) {
  return Watching{form, paint}.run();
}

}  // namespace onelane::multicall
