#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/journal/run_output.hpp"
#include "multicall/job/capture/capture.hpp"
#include "multicall/job/capture/line_sign.hpp"
#include "multicall/job/capture/outer.hpp"
#include "multicall/job/capture/split.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"

namespace onelane::multicall::capture {
namespace {

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
