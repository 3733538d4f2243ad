#include "multicall/job/capture/capture.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "core/journal/run_output.hpp"
#include "core/process/launch.hpp"
#include "multicall/job/capture/outer.hpp"
#include "multicall/job/capture/telling.hpp"
#include "multicall/job/capture/terminal.hpp"
#include "multicall/job/capture/wiring.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall::capture {
namespace {

/// The file of `--log`; appends to it.
class LogFile {
 public:
  explicit LogFile(const std::string& path) : path_{path} {
    if (!path.empty()) {
      file_ = sys::open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600);
    }
  }

  void add(std::string_view text) noexcept {
    if (!file_.is_open() || text.empty()) {
      return;
    }
    is_at_line_start_ = text.back() == '\n';
    if (!sys::write_all(file_.get(), text)) {
      const int error = errno;
      say_always(path_ + ": " + std::strerror(error) + "; what follows is not logged");
      file_.reset();
    }
  }
  void add_line(const std::string& line) noexcept { add(is_at_line_start_ ? line : "\n" + line); }

 private:
  std::string path_;
  sys::FileDescriptor file_;
  bool is_at_line_start_ = true;
};

/// The parent's side of a captured run.
class OutputKeeper {
 public:
  OutputKeeper(const Options& options, LogFile& log, const LineSign& sign)
      : options_{options}, log_{log}, sign_{sign} {}

  void add_stream(sys::FileDescriptor source, int target) {
    Kept& kept = target == 1 ? out_ : err_;
    const bool as_json = options_.as_json;
    streams_.emplace_back(
        std::move(source), as_json ? -1 : target,
        [this, as_json, &kept](std::string_view text) {
          log_.add(text);
          if (as_json) {
            kept.add(text);
          }
        },
        sign_.sign_of_stream());
  }

  [[noreturn]] void run(pid_t child, const process::Signals& signals, process::Canary& canary,
                        sys::FileDescriptor socket, PtyBridge* pty) {
    Listener::Actions actions;
    actions.attempt = [this](journal::Record record) { note_attempt(std::move(record)); };
    actions.end = [this] { drain(); };
    Listener listener{std::move(socket), std::move(actions)};
    Outer outer{child, signals, canary, streams_, listener, pty};
    result_.wait_status = outer.pump();
    if (result_.attempts.empty()) {
      log_.add_line("# onelane: nothing was run\n");
    }
    if (options_.as_json) {
      try {
        print_json(to_json(result_));
      } catch (const std::exception& failure) {
        say_always(failure.what());
        ::_exit(125);
      }
    }
    process::mirror(result_.wait_status);
  }

 private:
  void drain() noexcept {
    for (Stream& stream : streams_) {
      stream.drain();
    }
  }
  void note_attempt(journal::Record record) {
    drain();
    log_.add_line(log_line(record));
    result_.attempts.push_back(std::move(record));
    result_.out = std::exchange(out_, {});
    result_.err = std::exchange(err_, {});
  }

  const Options& options_;
  LogFile& log_;
  const LineSign& sign_;
  std::vector<Stream> streams_;
  Kept out_;  ///< Output of the current attempt.
  Kept err_;
  Result result_;
};

constexpr std::size_t kMostId = 64;

/// The caller's side: prints the id that comes through `ids`, or ends as the run did.
int print_id(pid_t child, sys::FileDescriptor ids, bool as_json) {
  char text[kMostId];
  const long got = sys::read_up_to(ids.get(), text, sizeof text);
  if (got > 0) {
    const std::string id{text, static_cast<std::size_t>(got)};
    as_json ? print_json({{"schema", 1}, {"id", id}}) : print(id + "\n");
    return 0;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailed;
}

/// The work of the process beside a detached run: writes the output to the file.
class DetachedOutput {
 public:
  DetachedOutput(const Place& place, sys::FileDescriptor ids, const LineSign& sign)
      : place_{place}, ids_{std::move(ids)}, sign_{sign} {}

  void add_stream(sys::FileDescriptor source) {
    streams_.emplace_back(
        std::move(source), -1,
        [this](std::string_view text) {
          if (file_) {
            file_->write(text);
          }
        },
        sign_.sign_of_stream());
  }

  [[noreturn]] void run(pid_t child, const process::Signals& signals, process::Canary& canary,
                        sys::FileDescriptor socket) {
    Listener::Actions actions;
    actions.queued = [this](const std::string& id) { note_queued(id); };
    actions.attempt = [this](const journal::Record& /*record*/) {
      for (Stream& stream : streams_) {
        stream.drain();
      }
    };
    Listener listener{std::move(socket), std::move(actions)};
    Outer outer{child, signals, canary, streams_, listener, nullptr};
    process::mirror(outer.pump());
  }

 private:
  /// From here on the caller may end, and nothing of it is held open any more.
  void note_queued(const std::string& id) {
    if (!ids_.is_open()) {
      return;  // the lane was replaced while it waited: the caller has the first id already
    }
    file_ = std::make_unique<journal::RunOutput>(place_.log_directory, id, place_.retention);
    (void)sys::write_all(ids_.get(), id);
    ids_.reset();
    use_null(0, 2);
  }

  const Place& place_;
  sys::FileDescriptor ids_;
  const LineSign& sign_;
  std::unique_ptr<journal::RunOutput> file_;
  std::vector<Stream> streams_;
};

/// The side that goes on as the run; its messages go to the caller until it has an id.
Captured go_on(Wiring& wiring, sys::FileDescriptor socket, Ends out, Ends err) {
  Captured captured{std::make_shared<const Teller>(std::move(socket)),
                    {std::move(out.write), std::move(err.write)},
                    {}};
  wiring.queued = [teller = captured.teller, out_fd = captured.output[0].get(),
                   err_fd = captured.output[1].get()](const std::string& id) {
    teller->tell_queued(id);
    ::dup2(out_fd, 1);
    ::dup2(err_fd, 2);
  };
  wiring.report = [teller = captured.teller](const journal::Record& record) {
    teller->tell_attempt(record);
  };
  return captured;
}

}  // namespace

Captured capture_output(Wiring& wiring, const Options& options) {
  LogFile log{options.log};
  std::optional<PtyBridge> pty;
  if (!options.as_json && ::isatty(1) == 1) {
    pty.emplace();
  }
  LineSign sign{wiring};
  Ends sockets = make_sockets();
  std::array<Ends, 2> pipes;
  for (int i = 0; i < 2; ++i) {
    if (!pty || ::isatty(i + 1) != 1) {
      pipes[static_cast<std::size_t>(i)] = make_pipe();
    }
  }
  const pid_t self = ::getpid();
  std::optional<process::Signals> signals{std::in_place};
  process::Canary canary;
  canary.start();
  const pid_t child = split();
  const auto keep_output = [&]() noexcept {  // a caught exception would run the tool once more
    OutputKeeper keeper{options, log, sign};
    if (pty) {
      keeper.add_stream(pty->own_side(), 1);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      pipes[i].write.reset();
      if (pipes[i].read.is_open()) {
        keeper.add_stream(std::move(pipes[i].read), static_cast<int>(i) + 1);
      }
    }
    sockets.write.reset();
    sys::close_foreign_descriptors();  // else we would keep the caller's pipes open
    if (!pty) {
      use_null(0, 0);
    }
    keeper.run(child, *signals, canary, std::move(sockets.read), pty ? &*pty : nullptr);
  };
  if (child != 0) {
    keep_output();
  }
  canary.forget();  // it belongs to our parent
  signals.reset();
  end_with(self);
  process::take_names_of(self);
  if (pty) {
    pty->open_other_side();
  }
  wiring.output = {pipes[0].write.get(), pipes[1].write.get()};
  auto teller = std::make_shared<const Teller>(std::move(sockets.write));
  wiring.report = [teller](const journal::Record& record) { teller->tell_attempt(record); };
  return {std::move(teller), {std::move(pipes[0].write), std::move(pipes[1].write)}, sign.take()};
}

Detached detach(Wiring& wiring, const Place& place) {
  Ends ids = make_pipe();
  const pid_t child = split();
  if (child != 0) {
    ids.write.reset();
    return {print_id(child, std::move(ids.read), place.as_json), std::nullopt};
  }
  ids.read.reset();
  ::setsid();
  use_null(0, 0);
  sys::close_foreign_descriptors();
  LineSign sign{wiring};
  Ends sockets = make_sockets();
  Ends out = make_pipe();
  Ends err = make_pipe();
  const pid_t self = ::getpid();
  std::optional<process::Signals> signals{std::in_place};
  process::Canary canary;
  canary.start();
  const pid_t run = split();
  if (run != 0) {
    out.write.reset();
    err.write.reset();
    sockets.write.reset();
    DetachedOutput output{place, std::move(ids.write), sign};
    output.add_stream(std::move(out.read));
    output.add_stream(std::move(err.read));
    output.run(run, *signals, canary, std::move(sockets.read));
  }
  canary.forget();  // it belongs to our parent
  signals.reset();
  end_with(self);
  ids.write.reset();
  sockets.read.reset();
  out.read.reset();
  err.read.reset();
  Captured captured = go_on(wiring, std::move(sockets.write), std::move(out), std::move(err));
  captured.ready = sign.take();
  return {std::nullopt, std::move(captured)};
}

}  // namespace onelane::multicall::capture
