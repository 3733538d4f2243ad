#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/journal/record.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// Sends messages from a captured run to the process that keeps its output: one line per message,
/// answered by one byte once all output written before it is safe. If the other side is gone, both
/// return at once.
class Teller {
 public:
  explicit Teller(sys::FileDescriptor socket) : socket_{std::move(socket)} {}

  /// Blocks for the answer, as do the others.
  void tell_queued(const std::string& run_id) const { tell("i" + run_id + "\n"); }
  void tell_attempt(const journal::Record& record) const;
  /// Everything has been written; the pty may be closed.
  void tell_end() const { tell("e\n"); }

 private:
  void tell(std::string_view message) const;

  sys::FileDescriptor socket_;
};

/// Receives the messages of a Teller.
class Listener {
 public:
  /// What to do before a message is answered; each may be empty.
  struct Actions {
    std::function<void(const std::string& run_id)> queued;
    std::function<void(journal::Record record)> attempt;
    std::function<void()> end;
  };
  Listener(sys::FileDescriptor socket, Actions actions)
      : socket_{std::move(socket)}, actions_{std::move(actions)} {}

  /// Readable when hear() has something to do; -1 once the run is gone.
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /// Reads what has arrived and answers complete messages; never blocks.
  void hear();

 private:
  void obey(std::string_view message);

  sys::FileDescriptor socket_;
  Actions actions_;
  std::string text_;
};

}  // namespace onelane::multicall::capture
