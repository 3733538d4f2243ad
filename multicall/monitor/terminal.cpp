#include "multicall/monitor/terminal.hpp"

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

// term.h defines these words as macros even with NCURSES_NOMACROS.
#undef columns
#undef lines

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace onelane::multicall::monitor {
namespace {

constexpr int kEscapeDelay = 25;  // ms; the bytes of an arrow key arrive together, even over ssh
constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/// What the handler needs, prepared in advance. Process-wide, as signal handlers are.
struct Rescue {
  termios before{};
  std::array<char, 256> text{};
  std::size_t length = 0;
};
Rescue rescue;

void put_back(int signal) {
  (void)!::write(1, rescue.text.data(), rescue.length);
  (void)::tcsetattr(0, TCSANOW, &rescue.before);
  ::raise(signal);  // SA_RESETHAND: takes its default action once this handler returns
}

/// Without padding: no sequence that leaves a screen needs any.
void add_to_rescue(const char* name) {
  const char* const text = ::tigetstr(name);
  if (text == nullptr || text == reinterpret_cast<const char*>(-1)) {  // NOLINT: terminfo(3)
    return;
  }
  const std::size_t length = std::strlen(text);
  if (rescue.length + length < rescue.text.size()) {
    std::memcpy(rescue.text.data() + rescue.length, text, length);
    rescue.length += length;
  }
}

void prepare_rescue() {
  rescue.length = 0;
  for (const char* name : {"sgr0", "cnorm", "rmkx", "rmcup"}) {
    add_to_rescue(name);
  }
  struct sigaction action {};
  action.sa_handler = &put_back;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigset_t fatal;
  ::sigemptyset(&fatal);
  for (const int signal : kFatal) {
    ::sigaction(signal, &action, nullptr);
    ::sigaddset(&fatal, signal);
  }
  ::sigprocmask(SIG_UNBLOCK, &fatal, nullptr);
}

bool has(const char* name) {
  const char* const text = ::tigetstr(name);
  return text != nullptr && text != reinterpret_cast<const char*>(-1);  // NOLINT: terminfo(3)
}

enum Pair : short { Red = 1, Green, Yellow, Cyan };

void use_colours() {
  ::start_color();
  const short background = ::use_default_colors() == OK ? short{-1} : short{COLOR_BLACK};
  ::init_pair(Red, COLOR_RED, background);
  ::init_pair(Green, COLOR_GREEN, background);
  ::init_pair(Yellow, COLOR_YELLOW, background);
  ::init_pair(Cyan, COLOR_CYAN, background);
}

Key key_of(int code) {
  switch (code) {
    case KEY_UP:
      return Key{Key::Kind::Up};
    case KEY_DOWN:
      return Key{Key::Kind::Down};
    case KEY_PPAGE:
      return Key{Key::Kind::PageUp};
    case KEY_NPAGE:
      return Key{Key::Kind::PageDown};
    case KEY_HOME:
      return Key{Key::Kind::Home};
    case KEY_END:
      return Key{Key::Kind::End};
    case KEY_ENTER:
    case '\n':
    case '\r':
      return Key{Key::Kind::Enter};
    case KEY_BACKSPACE:
    case 0x7f:
    case '\b':
      return Key{Key::Kind::Backspace};
    case 0x1b:
      return Key{Key::Kind::Escape};
    case 0x0c:
      return Key{Key::Kind::Redraw};
    default:
      return code < 0x100 ? Key{Key::Kind::Byte, static_cast<char>(code)} : Key{Key::Kind::Other};
  }
}

}  // namespace

struct Terminal::Impl {
  SCREEN* screen = nullptr;
  bool colours = false;

  [[nodiscard]] attr_t attribute_of(Style style, short& pair) const {
    const auto colour = [&](short wanted, attr_t without) -> attr_t {
      pair = colours ? wanted : short{0};
      return colours ? A_NORMAL : without;
    };
    switch (style) {
      case Style::Dim:
        return A_DIM;
      case Style::Bold:
        return A_BOLD;
      case Style::Good:
        return colour(Green, A_NORMAL);
      case Style::Warn:
        return colour(Yellow, A_BOLD);
      case Style::Bad:
        return colour(Red, A_BOLD) | A_BOLD;
      case Style::Name:
        return colour(Cyan, A_BOLD);
      case Style::Bar:
        return A_REVERSE;
      case Style::Plain:
        break;
    }
    return A_NORMAL;
  }
};

std::unique_ptr<Terminal> Terminal::open(bool colours, std::string& why) {
  const char* const name = std::getenv("TERM");
  const std::string shown =
      "TERM=" + clip(clean_text(name == nullptr ? "" : name, false), 30, false);
  int error = 0;
  // Not initscr(3): it ends the process where it does not know the terminal.
  if (name == nullptr || *name == '\0' || ::setupterm(name, 1, &error) != OK) {
    why = shown + " is not a known terminal";
    return nullptr;
  }
  if (!has("cup") || (!has("clear") && !has("ed"))) {
    why = shown + " cannot move its cursor";
    return nullptr;
  }
  (void)::tcgetattr(0, &rescue.before);
  auto impl = std::make_unique<Impl>();
  ::set_escdelay(kEscapeDelay);
  impl->screen = ::newterm(nullptr, stdout, stdin);
  if (impl->screen == nullptr) {
    why = shown + " cannot be used";
    return nullptr;
  }
  impl->colours = colours && ::has_colors();
  return std::unique_ptr<Terminal>{new Terminal{std::move(impl)}};
}

Terminal::Terminal(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  (void)::curs_set(0);
  if (impl_->colours) {
    use_colours();
  }
  prepare_rescue();
  fit();
}

Terminal::~Terminal() {
  ::endwin();
  for (const int signal : kFatal) {
    ::signal(signal, SIG_DFL);
  }
  ::delscreen(impl_->screen);
}

Size Terminal::size() const {
  const int rows = ::getmaxy(stdscr);
  const int columns = ::getmaxx(stdscr);
  return {static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
}

void Terminal::fit() {
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
    ::resizeterm(size.ws_row, size.ws_col);
  }
  forget();
}

void Terminal::forget() {
  ::clearok(stdscr, TRUE);
}

void Terminal::leave() {
  ::endwin();
  forget();
}

void Terminal::draw(const Screen& screen) {
  ::werase(stdscr);
  int row = 0;
  for (const Line& line : screen.lines) {
    ::wmove(stdscr, row++, 0);
    for (const Span& span : line.spans) {
      short pair = 0;
      const attr_t attribute = impl_->attribute_of(span.style, pair);
      ::wattr_set(stdscr, attribute | (line.is_selected ? A_REVERSE : A_NORMAL), pair, nullptr);
      ::waddnstr(stdscr, span.text.c_str(), -1);
    }
  }
  ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
  ::wrefresh(stdscr);
}

std::optional<Key> Terminal::next_key() {
  int code = ::wgetch(stdscr);
  while (code == KEY_RESIZE) {  // put there by our own resizeterm(3)
    code = ::wgetch(stdscr);
  }
  return code == ERR ? std::nullopt : std::optional{key_of(code)};
}

}  // namespace onelane::multicall::monitor
