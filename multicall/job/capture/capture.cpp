#include "multicall/job/capture/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "core/process/child_environment.hpp"
#include "multicall/job/capture/line_sign.hpp"
#include "multicall/job/capture/outer.hpp"
#include "multicall/job/capture/result.hpp"
#include "multicall/job/capture/split.hpp"
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

}  // namespace onelane::multicall::capture
