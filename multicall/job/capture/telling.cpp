#include "multicall/job/capture/telling.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace onelane::multicall::capture {

void Teller::tell_attempt(const journal::Record& record) const {
  journal::Record told = record;
  if (told.id.empty()) {
    told.id = "-";  // a line without an id is not a valid record
  }
  tell("r" + journal::to_line(told));
}

void Teller::tell(std::string_view message) const {
  while (!message.empty()) {
    const ssize_t sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      return;
    }
    message.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
  char answer = 0;
  (void)sys::read_up_to(socket_.get(), &answer, 1);
}

void Listener::hear() {
  char chunk[4096];
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), chunk, sizeof chunk, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
      socket_.reset();
    }
    if (got <= 0) {
      return;
    }
    text_.append(chunk, static_cast<std::size_t>(got));
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      const std::string message = text_.substr(0, end);
      text_.erase(0, end + 1);
      obey(message);
      (void)::send(socket_.get(), "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
}

void Listener::obey(std::string_view message) {
  const char kind = message.empty() ? '\0' : message.front();
  if (kind == 'i' && actions_.queued) {
    actions_.queued(std::string{message.substr(1)});
  } else if (kind == 'e' && actions_.end) {
    actions_.end();
  } else if (kind == 'r' && actions_.attempt) {
    if (auto record = journal::parse(message.substr(1))) {
      actions_.attempt(std::move(*record));
    }
  }
}

}  // namespace onelane::multicall::capture
