#include "multicall/say.hpp"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "core/journal/text.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"

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
    journal::append_printable(out, text.substr(at, end - at), std::string_view::npos);
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
    // A reader who has gone must not end the call: SIGPIPE is blocked for the write and, if
    // it is new, taken back.
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
    // Out of memory: the message is the least of it.
  }
}

void say(std::string_view text) noexcept {
  if (!is_quiet()) {
    say_always(text);
  }
}

std::string duration_words(std::chrono::nanoseconds span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  char text[48];
  if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.1fs", std::chrono::duration<double>(span).count());
  } else if (seconds < 60) {
    std::snprintf(text, sizeof text, "%llds", static_cast<long long>(seconds));
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>(seconds / 60),
                  static_cast<long long>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds / 60 % 60));
  }
  return text;
}

std::string ordinal(std::size_t number) {
  const bool teen = number / 10 % 10 == 1;
  const std::size_t last = number % 10;
  const char* ending =
      teen || last == 0 || last > 3 ? "th" : (last == 1 ? "st" : (last == 2 ? "nd" : "rd"));
  return std::to_string(number) + ending;
}

namespace {

/// What `take` makes of the /etc/passwd entry of `uid`; empty when there is none.
template <class Take>
std::string from_passwd(unsigned uid, const Take& take) {
  std::string text;
  if (FILE* file = std::fopen("/etc/passwd", "re")) {
    while (const passwd* entry = ::fgetpwent(file)) {
      if (entry->pw_uid == uid) {
        text = take(*entry);
        break;
      }
    }
    std::fclose(file);
  }
  return text;
}

}  // namespace

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/:@%,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string{text};
  }
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  }
  return out + "'";
}

std::string user_name(unsigned uid) {
  if (uid == 0) {
    return "root";
  }
  const std::string name = from_passwd(uid, [](const passwd& entry) { return entry.pw_name; });
  return name.empty() ? "uid " + std::to_string(uid) : name;
}

std::string home_of_user() {
  std::string home = from_passwd(::geteuid(), [](const passwd& entry) { return entry.pw_dir; });
  if (!home.starts_with('/')) {
    throw sys::SystemError{ENOENT, "find a home directory for", user_name(::geteuid())};
  }
  return home;
}

}  // namespace onelane::multicall
