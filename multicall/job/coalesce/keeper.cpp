#include "multicall/job/coalesce/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "core/journal/log_directory.hpp"
#include "core/journal/run_output.hpp"
#include "core/sys/error.hpp"
#include "multicall/job/capture/stream.hpp"
#include "multicall/job/capture/terminal.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall::coalesce {
namespace {

constexpr int kKeepingMs = 2'000;
// Messages between run and keeper, one byte each.
constexpr char kAllWritten = 'w';
constexpr char kGiveUp = 'q';
constexpr char kIsWhole = 'k';
constexpr char kIsCut = 'c';
constexpr char kIsRead = 'r';

/// One output stream of the tool, and where it goes.
struct Source {
  sys::FileDescriptor own;
  int target = 1;
  bool is_terminal = false;
};

/// The work of the keeper process.
class Keeping {
 public:
  Keeping(const Shelf& shelf, const process::Signals& signals, sys::FileDescriptor socket)
      : shelf_{shelf},
        signals_{signals},
        socket_{std::move(socket)},
        file_{shelf.log_directory, shelf.run_id, shelf.retention} {}

  void add(Source source) {
    if (source.is_terminal) {
      terminal_ = {source.own.get(), source.target};
    }
    streams_.emplace_back(std::move(source.own), source.target,
                          [this, stream = source.target](std::string_view text) {
                            file_.write(text);
                            parts_.add(stream, text.size());
                          });
  }

  /// Blocks until no process can write any more and everything has been passed on.
  void run() {
    while (socket_.is_open() || std::ranges::any_of(streams_, &is_open)) {
      step();
    }
  }

 private:
  static bool is_open(const capture::Stream& stream) {
    return stream.source() >= 0 || stream.target() >= 0;
  }

  void step() {
    std::vector<pollfd> polled{{socket_.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    for (const capture::Stream& stream : streams_) {
      polled.push_back({stream.source(), POLLIN, 0});
      polled.push_back({stream.target(), POLLOUT, 0});
    }
    if (::poll(polled.data(), polled.size(), -1) <= 0) {
      return;
    }
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (polled[2 + 2 * i].revents != 0) {
        streams_[i].read();
      }
      if (polled[3 + 2 * i].revents != 0) {
        streams_[i].write();
      }
    }
    if (polled[1].revents != 0) {
      note_size();
    }
    if (polled[0].revents != 0) {
      listen();
    }
    tell_read();
  }

  /// Signals are for the run and are dropped; SIGWINCH alone changes the size of the pty.
  void note_size() {
    process::Signals::Arrived arrived;
    while (signals_.next(arrived)) {
      if (arrived.signal == SIGWINCH && terminal_) {
        fit_pty(terminal_->first, terminal_->second);
      }
    }
  }

  void listen() {
    char word = kGiveUp;
    const long got = ::recv(socket_.get(), &word, 1, 0);
    if (got == 1 && word == kAllWritten) {
      for (capture::Stream& stream : streams_) {
        stream.drain();
      }
      say(keep() ? kIsWhole : kIsCut);
      is_over_ = true;
      return;
    }
    socket_.reset();
    if (got == 1) {
      ::_exit(0);
    }
  }

  /// True if all of the output is kept.
  [[nodiscard]] bool keep() noexcept {
    const bool is_passed_on = std::ranges::none_of(streams_, &capture::Stream::has_lost_reader);
    if (!is_passed_on || !file_.is_whole() || !parts_.is_whole()) {
      return false;
    }
    try {
      const auto directory = journal::open_log_directory(shelf_.log_directory);
      const auto file = journal::open_log_file(directory.get(), shelf_.run_id + ".parts");
      return sys::write_all(file.get(), parts_.text());
    } catch (const std::exception&) {
      return false;
    }
  }

  void tell_read() {
    const auto waits = [](const capture::Stream& stream) { return stream.target() >= 0; };
    if (is_over_ && socket_.is_open() && std::ranges::none_of(streams_, waits)) {
      say(kIsRead);
      socket_.reset();
    }
  }

  void say(char word) const noexcept {
    (void)::send(socket_.get(), &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  const Shelf& shelf_;
  const process::Signals& signals_;
  sys::FileDescriptor socket_;
  journal::RunOutput file_;
  Parts parts_;
  std::vector<capture::Stream> streams_;
  std::optional<std::pair<int, int>> terminal_;  ///< Our side of the pty, and the terminal.
  bool is_over_ = false;                         ///< The run has ended.
};

/// Closes all descriptors but `kept` and 0 to 2: an open one would keep the lane's locks alive.
void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned first = 3;
  for (const int fd : kept) {
    if (static_cast<unsigned>(fd) > first) {
      ::syscall(SYS_close_range, first, static_cast<unsigned>(fd) - 1, 0U);
    }
    first = static_cast<unsigned>(fd) + 1;
  }
  ::syscall(SYS_close_range, first, ~0U, 0U);
}

[[noreturn]] void keep_output(const Shelf& shelf, const process::Signals& signals,
                              sys::FileDescriptor socket, std::vector<Source> sources) noexcept {
  std::vector<int> kept{socket.get(), signals.fd()};
  for (const Source& source : sources) {
    kept.push_back(source.own.get());
  }
  close_all_but(std::move(kept));
  capture::use_null(0, 0);
  Keeping keeping{shelf, signals, std::move(socket)};
  for (Source& source : sources) {
    keeping.add(std::move(source));
  }
  keeping.run();
  ::_exit(0);
}

constexpr std::size_t kMostParts = 200'000;

}  // namespace

OutputKeeper::OutputKeeper(const Shelf& shelf, const process::Signals& signals)
    : signals_{signals} {
  const Streams streams = streams_of();
  has_one_output_ = streams.has_one_output;
  std::vector<Source> sources;
  for (const int fd : {1, 2}) {
    const auto i = static_cast<std::size_t>(fd) - 1;
    const Standard kind = streams.kinds[static_cast<std::size_t>(fd)];
    if ((kind != Standard::Terminal && kind != Standard::Other) || (fd == 2 && has_one_output_)) {
      continue;
    }
    if (kind == Standard::Terminal) {
      QuietPty pty = open_quiet_pty(fd);
      output_[i] = std::move(pty.tools);
      sources.push_back({std::move(pty.own), fd, true});
      continue;
    }
    capture::Ends ends = capture::make_pipe();
    output_[i] = std::move(ends.write);
    sources.push_back({std::move(ends.read), fd, false});
  }
  capture::Ends sockets = capture::make_sockets();
  if (capture::split() == 0) {
    keep_output(shelf, signals, std::move(sockets.write), std::move(sources));
  }
  socket_ = std::move(sockets.read);
}

bool OutputKeeper::finish() noexcept {
  output_[0].reset();
  output_[1].reset();
  (void)::send(socket_.get(), &kAllWritten, 1, MSG_NOSIGNAL);
  pollfd polled{socket_.get(), POLLIN, 0};
  char word = kIsCut;
  return ::poll(&polled, 1, kKeepingMs) == 1 && ::recv(socket_.get(), &word, 1, 0) == 1 &&
         word == kIsWhole;
}

void OutputKeeper::wait_for_reader() noexcept {
  while (pause(signals_, std::chrono::milliseconds{0}) == 0) {
    pollfd polled[2] = {{socket_.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    (void)::poll(polled, 2, -1);
    char word = 0;
    if (polled[0].revents != 0 && (::recv(socket_.get(), &word, 1, 0) <= 0 || word == kIsRead)) {
      return;
    }
  }
  (void)::send(socket_.get(), &kGiveUp, 1, MSG_NOSIGNAL);
}

void Parts::add(int stream, std::uint64_t size) {
  if (!list_.empty() && list_.back().stream == stream) {
    list_.back().size += size;
    return;
  }
  is_whole_ = is_whole_ && list_.size() < kMostParts;
  if (is_whole_) {
    list_.push_back({stream, size});
  }
}

std::string Parts::text() const {
  std::string text;
  for (const Part& part : list_) {
    text += std::to_string(part.stream) + " " + std::to_string(part.size) + "\n";
  }
  return text;
}

std::optional<std::vector<Part>> parse_parts(std::string_view text) {
  std::vector<Part> list;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool has_form = end != std::string_view::npos && line.size() > 2 && line[1] == ' ' &&
                          (line[0] == '1' || line[0] == '2');
    Part part{has_form && line[0] == '2' ? 2 : 1};
    const char* const last = line.data() + line.size();
    if (!has_form || std::from_chars(line.data() + 2, last, part.size).ptr != last) {
      return std::nullopt;
    }
    list.push_back(part);
    text.remove_prefix(end + 1);
  }
  return list;
}

QuietPty open_quiet_pty(int model) {
  QuietPty pty;
  pty.own = sys::lift(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (!pty.own.is_open() || ::grantpt(pty.own.get()) != 0 || ::unlockpt(pty.own.get()) != 0 ||
      ::ptsname_r(pty.own.get(), name, sizeof name) != 0) {
    sys::throw_errno("open", "a pseudo terminal");
  }
  pty.tools = sys::open_file(name, O_RDWR | O_NOCTTY);
  termios modes{};
  if (::tcgetattr(model, &modes) == 0) {
    // No output processing here: the real terminal does its own, newlines included.
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | TOSTOP);
    (void)::tcsetattr(pty.tools.get(), TCSANOW, &modes);
  }
  fit_pty(pty.own.get(), model);
  return pty;
}

void fit_pty(int own, int model) noexcept {
  winsize size{};
  if (::ioctl(model, TIOCGWINSZ, &size) == 0) {
    (void)::ioctl(own, TIOCSWINSZ, &size);
  }
}

}  // namespace onelane::multicall::coalesce
