#pragma once

#include <string>
#include <string_view>

#include "core/settings/settings.hpp"

namespace onelane::settings {

/// Where the user's trust is kept: `$XDG_DATA_HOME/onelane/trust`, else
/// `<home>/.local/share/onelane/trust`; empty when neither is an absolute path.
[[nodiscard]] std::string trust_directory(const std::string& home, const Environment& environment);

/// True when the user has trusted this very content under this very path: an edit revokes it,
/// and so does a move. `directory` as from trust_directory; an entry that belongs to another
/// user, or that others may write, counts for nothing.
[[nodiscard]] bool is_trusted(const std::string& directory, const std::string& path,
                              std::string_view content);

/// Trusts `content` under `path` (absolute). Makes `directory` (0700) and the entry (0600),
/// whose text is the path, for people; twice is harmless. Throws SystemError.
void trust(const std::string& directory, const std::string& path, std::string_view content);

}  // namespace onelane::settings
