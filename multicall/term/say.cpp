#include "multicall/term/say.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"

namespace onelane::multicall {

bool is_quiet() noexcept {
  const char* quiet = std::getenv("ONELANE_QUIET");
  return quiet != nullptr && *quiet != '\0' && std::string_view{quiet} != "0";
}

std::string printable_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    sys::append_printable(out, text.substr(at, end - at), std::string_view::npos);
    if (end < text.size()) {
      out.push_back('\n');
    }
    at = end + 1;
  }
  return out;
}

void say_always(std::string_view text) noexcept {
  try {
    std::string line{"onelane: "};
    line.append(printable_lines(text)).push_back('\n');
    // A reader that has gone away must not end the call: SIGPIPE is blocked during the write and
    // discarded afterwards, unless it was pending before.
    sigset_t own;
    sigset_t before;
    sigset_t pending;
    ::sigemptyset(&own);
    ::sigaddset(&own, SIGPIPE);
    ::sigaddset(&own, SIGXFSZ);
    ::sigpending(&pending);
    ::sigprocmask(SIG_BLOCK, &own, &before);
    (void)sys::write_all(2, line);
    const timespec none{0, 0};
    if (::sigismember(&pending, SIGPIPE) == 0 && ::sigismember(&pending, SIGXFSZ) == 0) {
      (void)::sigtimedwait(&own, nullptr, &none);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
  } catch (const std::exception&) {
    // Out of memory: losing the message is the smaller problem.
  }
}

void say(std::string_view text) noexcept {
  if (!is_quiet()) {
    say_always(text);
  }
}

}  // namespace onelane::multicall
