#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// One stream of a command for `--json`: its last 16 MiB.
class Kept {
 public:
  void add(std::string_view text);
  void clear();
  /// A string, or {"base64": …} if it is not UTF-8.
  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }

 private:
  std::string text_;
  bool is_cut_ = false;
};

/// The result of a captured run.
struct Result {
  std::vector<journal::Record> attempts;  ///< Empty if nothing was run.
  Kept out;                               ///< Output of the last attempt.
  Kept err;
  int wait_status = 0;  ///< Of the whole run (waitpid(2)).
};

/// The object that `onelane run --json` prints.
[[nodiscard]] nlohmann::json to_json(const Result& result);

/// The line after the output of an attempt in a log, with its newline: "# onelane: run ID, attempt
/// 2: exit 1, took 2.3s, at most 45 MB".
[[nodiscard]] std::string log_line(const journal::Record& record);

}  // namespace onelane::multicall::capture
