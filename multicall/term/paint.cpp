#include "multicall/term/paint.hpp"

#include <unistd.h>

#include <cstdlib>

namespace onelane::multicall {
namespace {

std::string_view variable(const char* name) noexcept {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool decide(int fd, Paint::When when) noexcept {
  if (when != Paint::When::Auto) {
    return when == Paint::When::Always;
  }
  if (!variable("NO_COLOR").empty()) {
    return false;
  }
  const std::string_view force = variable("CLICOLOR_FORCE");
  if (!force.empty() && force != "0") {
    return true;
  }
  const std::string_view term = variable("TERM");
  return ::isatty(fd) == 1 && !term.empty() && term != "dumb";
}

}  // namespace

Paint::Paint(int fd, When when) noexcept : on_{decide(fd, when)} {}

std::string Paint::wrap(std::string_view code, std::string_view text) const {
  if (!on_ || text.empty()) {
    return std::string{text};
  }
  return "\033[" + std::string{code} + "m" + std::string{text} + "\033[0m";
}

}  // namespace onelane::multicall
