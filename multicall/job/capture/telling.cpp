#include "multicall/job/capture/telling.hpp"

#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/sys/base64.hpp"
#include "core/sys/text.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall::capture {
namespace {

using nlohmann::json;

constexpr std::size_t kMostKept = std::size_t{16} << 20U;

json number_or_null(std::int64_t number) {
  return number == 0 ? json(nullptr) : json(number);
}

json attempt_json(const journal::Record& record) {
  return {{"attempt", std::max<std::uint64_t>(record.attempt, 1)},
          {"code", record.code ? json(*record.code) : json(nullptr)},
          {"signal", number_or_null(record.signal)},
          {"reason", journal::word_of(record.reason)},
          {"waited_ms", record.waited_ms},
          {"duration_ms", record.duration_ms},
          {"peak_tree_kb", record.peak_tree_kb},
          {"peak_process_kb", record.peak_process_kb},
          {"cpu_ms", record.cpu_ms}};
}

template <class T>
T sum_of(const std::vector<journal::Record>& records, T journal::Record::*member) {
  T sum = 0;
  for (const journal::Record& record : records) {
    sum += record.*member;
  }
  return sum;
}

std::uint64_t most_of(const std::vector<journal::Record>& records,
                      std::uint64_t journal::Record::*member) {
  std::uint64_t most = 0;
  for (const journal::Record& record : records) {
    most = std::max(most, record.*member);
  }
  return most;
}

}  // namespace

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

void Kept::add(std::string_view text) {
  text_.append(text);
  if (text_.size() > 2 * kMostKept) {
    text_.erase(0, text_.size() - kMostKept);
    is_cut_ = true;
  }
}

void Kept::clear() {
  text_.clear();
  is_cut_ = false;
}

json Kept::to_json() const {
  return sys::is_utf8(text_) ? json(text_) : json{{"base64", sys::base64(text_)}};
}

json to_json(const Result& result) {
  const auto& attempts = result.attempts;
  const int status = result.wait_status;
  const bool has_run = !attempts.empty();
  json list = json::array();
  for (const journal::Record& record : attempts) {
    list.push_back(attempt_json(record));
  }
  const bool has_id = has_run && journal::is_run_id(attempts.back().id);
  return {{"schema", 1},
          {"id", has_id ? json(attempts.back().id) : json(nullptr)},
          {"stdout", result.out.to_json()},
          {"stderr", result.err.to_json()},
          {"stdout_is_cut", result.out.is_cut()},
          {"stderr_is_cut", result.err.is_cut()},
          {"code", WIFEXITED(status) ? json(WEXITSTATUS(status)) : json(nullptr)},
          {"signal", WIFSIGNALED(status) ? json(WTERMSIG(status)) : json(nullptr)},
          {"reason", has_run ? journal::word_of(attempts.back().reason)
                             : journal::word_of(journal::Reason::NotStarted)},
          {"label", has_run ? json(attempts.back().label) : json("")},
          {"waited_ms", sum_of(attempts, &journal::Record::waited_ms)},
          {"duration_ms", sum_of(attempts, &journal::Record::duration_ms)},
          {"peak_tree_kb", most_of(attempts, &journal::Record::peak_tree_kb)},
          {"peak_process_kb", most_of(attempts, &journal::Record::peak_process_kb)},
          {"cpu_ms", sum_of(attempts, &journal::Record::cpu_ms)},
          {"attempts", std::move(list)}};
}

std::string log_line(const journal::Record& record) {
  const bool has_id = journal::is_run_id(record.id);
  std::string text = "# onelane: " + (has_id ? "run " + record.id : std::string{"no lane"});
  text += record.attempt == 0 ? "" : ", attempt " + std::to_string(record.attempt);
  text += ": " + ending_of(record) + ", took " +
          duration_words(std::chrono::milliseconds{record.duration_ms});
  if (record.peak_tree_kb != 0) {
    text += ", at most " + size_words(record.peak_tree_kb << 10U) + " of memory";
  }
  return text + "\n";
}

}  // namespace onelane::multicall::capture
