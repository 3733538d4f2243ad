#pragma once

#include <string>

namespace onelane::sys {

/// Name of `uid` from /etc/passwd (no NSS in a static executable), else "uid 1000".
[[nodiscard]] std::string user_name(unsigned uid);

/// Home of the effective user from /etc/passwd; throws SystemError when it has no entry.
[[nodiscard]] std::string home_of_user();

}  // namespace onelane::sys
