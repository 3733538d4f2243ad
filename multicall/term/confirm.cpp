#include "multicall/term/confirm.hpp"

#include <unistd.h>

#include <cerrno>

#include "core/sys/file_descriptor.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {

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
