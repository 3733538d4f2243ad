#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/journal/record.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// What a captured run tells the process that keeps its output: one line a message, each answered
/// by one byte once everything that had been written before it is safe. Either side may be gone;
/// nothing waits for the dead.
class Teller {
 public:
  explicit Teller(sys::FileDescriptor socket) : socket_{std::move(socket)} {}

  /// Blocks for the answer, as the others do.
  void tell_queued(const std::string& run_id) const { tell("i" + run_id + "\n"); }
  void tell_attempt(const journal::Record& record) const;
  /// Everything has been written; a terminal of ours may go.
  void tell_end() const { tell("e\n"); }

 private:
  void tell(std::string_view message) const;

  sys::FileDescriptor socket_;
};

/// The other side.
class Listener {
 public:
  /// What is done before a message is answered; each may be empty.
  struct Actions {
    std::function<void(const std::string& run_id)> queued;
    std::function<void(journal::Record record)> attempt;
    std::function<void()> end;
  };
  Listener(sys::FileDescriptor socket, Actions actions)
      : socket_{std::move(socket)}, actions_{std::move(actions)} {}

  /// Readable when hear() has something to do; -1 once the run is gone.
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /// Reads what has come and answers whole messages; never blocks.
  void hear();

 private:
  void obey(std::string_view message);

  sys::FileDescriptor socket_;
  Actions actions_;
  std::string text_;
};

}  // namespace onelane::multicall::capture
