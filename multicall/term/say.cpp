#include "multicall/term/say.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/hex.hpp"
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

OutputError::OutputError()
    : std::system_error{errno, std::generic_category(), "write standard output"} {}

void print(std::string_view text) {
  if (!sys::write_all(1, text)) {
    throw OutputError{};
  }
}

std::string harmless_json(std::string_view text) {
  const auto is_doubtful = [](char c) { return c == '\x7f' || c == '\xc2'; };
  if (std::ranges::none_of(text, is_doubtful) && text.find("##[") == std::string_view::npos) {
    return std::string{text};
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    // GitHub obeys `##[…]` anywhere in a line of the log; in JSON it can only be inside a string.
    if (byte == '[' && out.ends_with("##")) {
      out += "\\u005b";
      continue;
    }
    const bool is_c1 = byte == 0xc2 && next < 0xa0;  // valid UTF-8: `next` is 0x80 or more
    if (byte != 0x7f && !is_c1) {
      out.push_back(text[i]);
      continue;
    }
    out += "\\u00";
    sys::append_hex(out, static_cast<unsigned char>(is_c1 ? next : byte));
    i += is_c1 ? 1 : 0;
  }
  return out;
}

std::string json_line(const nlohmann::json& value) {
  return harmless_json(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_json(const nlohmann::json& value) {
  print(json_line(value) + "\n");
}

Answer confirm(std::string_view question) {
  if (::isatty(0) != 1 || ::isatty(2) != 1) {
    return Answer::NoTerminal;
  }
  (void)sys::write_all(2, "onelane: " + std::string{question} + " [y/N] ");
  char line[256];
  ssize_t got = -1;
  while ((got = ::read(0, line, sizeof line)) < 0 && errno == EINTR) {
  }
  const std::string_view answer{line, got > 0 ? static_cast<std::size_t>(got) : 0};
  return answer == "y\n" || answer == "Y\n" || answer == "yes\n" ? Answer::Yes : Answer::No;
}

std::optional<int> refusal_of(const std::string& question, std::string_view hint) {
  switch (confirm(question + "?")) {
    case Answer::Yes:
      return std::nullopt;
    case Answer::No:
      say_always("nothing ended");
      return 1;
    case Answer::NoTerminal:
      break;
  }
  say_always(hint);
  return kExitUsage;
}

}  // namespace onelane::multicall
