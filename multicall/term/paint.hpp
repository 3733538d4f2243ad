#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// Colours for one stream; whether it has them is decided once, by the constructor.
///
/// `--color=always|never` decides first; then a NO_COLOR that is not empty turns colours off, a
/// CLICOLOR_FORCE other than 0 turns them on; otherwise a terminal with a TERM other than "dumb"
/// has them (no-color.org, bixense.com/clicolors).
class Paint {
 public:
  enum class When { Auto, Always, Never };

  explicit Paint(int fd, When when = When::Auto) noexcept;

  [[nodiscard]] bool is_on() const noexcept { return on_; }
  [[nodiscard]] std::string bold(std::string_view text) const { return wrap("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return wrap("2", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return wrap("31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return wrap("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return wrap("33", text); }
  [[nodiscard]] std::string cyan(std::string_view text) const { return wrap("36", text); }

 private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;

  bool on_;
};

}  // namespace onelane::multicall
