#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace onelane::process {

/// The environment of a child that takes our place: where LISTEN_PID, WATCHDOG_PID and
/// SYSTEMD_EXEC_PID name us they name the child, and so does LISTEN_PIDFDID. A program obeys such a
/// variable only when it holds the program's own pid (sd_listen_fds(3), sd_watchdog_enabled(3),
/// systemd.exec(5)).
///
/// Made before the clone; the child, whose pid is not known earlier, writes it in. Costs one look
/// at each entry when no variable names us.
class ChildEnvironment {
 public:
  /// Borrows `environment`, NULL-terminated.
  explicit ChildEnvironment(const char* const* environment);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  [[nodiscard]] const char* const* data() const noexcept { return environment_; }
  /// Called in the child, which may share our memory; async-signal-safe.
  void name_self() noexcept;

 private:
  /// "NAME=" with room for a number.
  class Number {
   public:
    explicit Number(std::string_view name) noexcept;
    [[nodiscard]] const char* text() const noexcept { return text_.data(); }
    void set(std::uint64_t number) noexcept;

   private:
    std::size_t length_;
    std::array<char, 48> text_{};
  };
  [[nodiscard]] const char* replacement_of(const char* entry) const noexcept;

  const char* const* environment_;
  std::vector<const char*> copy_;  ///< Empty when no variable names us.
  bool listens_ = false;           ///< LISTEN_PID names us.
  std::vector<Number> pids_;
  Number pidfd_;
};

/// For a forked child that takes over from `before`: variables of our own environment that name
/// `before` then name us. Allocates.
void take_names_of(pid_t before);

}  // namespace onelane::process
