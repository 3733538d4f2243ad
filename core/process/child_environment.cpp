#include "core/process/child_environment.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace onelane::process {
namespace {

constexpr std::array<std::string_view, 3> kPids{"LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"};
constexpr std::size_t kNone = kPids.size();
/// Holds the inode of a pidfd of the process that LISTEN_PID names.
constexpr std::string_view kPidfd = "LISTEN_PIDFDID";

bool is_named(std::string_view entry, std::string_view name) noexcept {
  return entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=';
}

/// Index in kPids of the variable that `entry` sets to `pid`; else kNone.
std::size_t index_of(const char* entry, pid_t pid) noexcept {
  for (std::size_t i = 0; i < kPids.size(); ++i) {
    if (is_named(entry, kPids[i])) {
      return std::strtol(entry + kPids[i].size() + 1, nullptr, 10) == pid ? i : kNone;
    }
  }
  return kNone;
}

/// 0 when the kernel has no pidfds.
std::uint64_t own_pidfd_inode() noexcept {
  const int self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  struct stat info {};
  const bool known = self >= 0 && ::fstat(self, &info) == 0;
  if (self >= 0) {
    ::close(self);
  }
  return known ? info.st_ino : 0;
}

}  // namespace

ChildEnvironment::Number::Number(std::string_view name) noexcept : length_{name.size() + 1} {
  std::memcpy(text_.data(), name.data(), name.size());
  text_[name.size()] = '=';
}

void ChildEnvironment::Number::set(std::uint64_t number) noexcept {
  std::array<char, 20> digits{};
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  std::reverse_copy(digits.data(), digits.data() + count, text_.data() + length_);
  text_[length_ + count] = '\0';
}

ChildEnvironment::ChildEnvironment(const char* const* environment)
    : environment_{environment}, pidfd_{kPidfd} {
  const pid_t self = ::getpid();
  bool names_us = false;
  for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::size_t index = index_of(*entry, self);
    names_us = names_us || index != kNone;
    listens_ = listens_ || index == 0;
  }
  if (!names_us) {
    return;
  }
  for (const std::string_view name : kPids) {
    pids_.emplace_back(name);
  }
  for (const char* const* entry = environment; *entry != nullptr; ++entry) {
    copy_.push_back(replacement_of(*entry));
  }
  copy_.push_back(nullptr);
  environment_ = copy_.data();
}

const char* ChildEnvironment::replacement_of(const char* entry) const noexcept {
  const std::size_t index = index_of(entry, ::getpid());
  if (index != kNone) {
    return pids_[index].text();
  }
  return listens_ && is_named(entry, kPidfd) ? pidfd_.text() : entry;
}

void ChildEnvironment::name_self() noexcept {
  if (copy_.empty()) {
    return;
  }
  for (Number& pid : pids_) {
    pid.set(static_cast<std::uint64_t>(::getpid()));
  }
  if (listens_) {
    pidfd_.set(own_pidfd_inode());
  }
}

void take_names_of(pid_t before) {
  const std::string self = std::to_string(::getpid());
  for (const std::string_view name : kPids) {
    const std::string key{name};
    const char* value = std::getenv(key.c_str());
    if (value == nullptr || std::strtol(value, nullptr, 10) != before) {
      continue;
    }
    ::setenv(key.c_str(), self.c_str(), 1);
    if (name == kPids[0] && std::getenv(std::string{kPidfd}.c_str()) != nullptr) {
      ::setenv(std::string{kPidfd}.c_str(), std::to_string(own_pidfd_inode()).c_str(), 1);
    }
  }
}

}  // namespace onelane::process
