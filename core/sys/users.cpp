#include "core/sys/users.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/sys/error.hpp"

namespace onelane::sys {
namespace {

/// The result of `take` for the /etc/passwd entry of `uid`; empty when there is none.
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
    throw SystemError{ENOENT, "find a home directory for", user_name(::geteuid())};
  }
  return home;
}

}  // namespace onelane::sys
