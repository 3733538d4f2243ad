#include "tests/support/tmux.hpp"

#include <stdexcept>

namespace onelane::test {

Tmux::Tmux(Sandbox& sandbox, int columns, int rows)
    : sandbox_{sandbox}, socket_{sandbox.fresh_path("tmux")} {
  sandbox_.set_environment("LC_ALL", "C.UTF-8");
  sandbox_.set_environment("TERM", "xterm-256color");
  // No line editor, so the modes at the prompt are those that the last program left.
  (void)tmux({"-f", "/dev/null", "new-session", "-d", "-s", "it", "-x", std::to_string(columns),
              "-y", std::to_string(rows),
              "exec env PS1='READY ' bash --norc --noprofile --noediting"});
  if (!shows("READY")) {
    throw std::runtime_error{"no shell in tmux: " + screen()};
  }
}

Tmux::~Tmux() {
  (void)sandbox_.run({"tmux", "-S", socket_, "kill-server"});
}

std::string Tmux::tmux(const std::vector<std::string>& words) {
  std::vector<std::string> argv{"tmux", "-S", socket_};
  argv.insert(argv.end(), words.begin(), words.end());
  const Ended ended = sandbox_.run(argv);
  if (!ended.exited_with(0)) {
    throw std::runtime_error{"tmux: " + ended.err};
  }
  return ended.out;
}

void Tmux::resize(int columns, int rows) {
  (void)tmux(
      {"resize-window", "-t", "it", "-x", std::to_string(columns), "-y", std::to_string(rows)});
}

std::string Tmux::screen() {
  return tmux({"capture-pane", "-p", "-t", "it"});
}

bool Tmux::shows(const std::string& text) {
  return eventually([&] { return screen().find(text) != std::string::npos; });
}

bool Tmux::loses(const std::string& text) {
  return eventually([&] { return screen().find(text) == std::string::npos; });
}

bool Tmux::is_at_prompt() {
  // The answer must differ from the question, which is on the screen too.
  const std::string number = std::to_string(++questions_);
  type("echo answer-$((0 + " + number + "))\n");
  return shows("answer-" + number);
}

bool Tmux::is_on_second_screen() {
  return tmux({"display-message", "-p", "-t", "it", "#{alternate_on}"}).starts_with("1");
}

std::string Tmux::modes() {
  std::string tty = tmux({"display-message", "-p", "-t", "it", "#{pane_tty}"});
  tty.pop_back();
  return sandbox_.run({"stty", "-a", "-F", tty}).out;
}

}  // namespace onelane::test
