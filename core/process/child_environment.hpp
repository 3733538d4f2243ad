#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace onelane::process {

/// The environment of a child that stands where we do: LISTEN_PID, WATCHDOG_PID and
/// SYSTEMD_EXEC_PID that name us name the child, and so does LISTEN_PIDFDID. A program that reads
/// one takes it for meant only when it is its own pid (sd_listen_fds(3), sd_watchdog_enabled(3),
/// systemd.exec(5)).
///
/// Made before the clone; the child, whose pid is not known earlier, writes it in. Costs one look
/// at each entry where nothing names us.
class ChildEnvironment {
 public:
  /// Borrows `environment`, NULL-terminated.
  explicit ChildEnvironment(const char* const* environment);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  [[nodiscard]] const char* const* data() const noexcept { return environment_; }
  /// In the child, which may share our memory; async-signal-safe.
  void name_self() noexcept;

 private:
  /// "NAME=" and room for a number.
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
  std::vector<const char*> copy_;  ///< Empty where nothing names us.
  bool listens_ = false;           ///< LISTEN_PID is among those that do.
  std::vector<Number> pids_;
  Number pidfd_;
};

/// In a forked child that goes on as what `before` was: makes our own environment name us where
/// it names `before`. Allocates.
void take_names_of(pid_t before);

}  // namespace onelane::process
