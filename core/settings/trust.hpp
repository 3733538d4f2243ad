#pragma once

#include <string>
#include <string_view>

#include "core/settings/settings.hpp"

namespace onelane::settings {

/// Where the user's trust is stored: `$XDG_DATA_HOME/onelane/trust`, else
/// `<home>/.local/share/onelane/trust`; empty when neither is an absolute path.
[[nodiscard]] std::string trust_directory(const std::string& home, const Environment& environment);

/// True when the user has trusted exactly this content under exactly this path: an edit or a move
/// revokes it. `directory` is from trust_directory; an entry that belongs to another user, or that
/// others may write, is ignored.
[[nodiscard]] bool is_trusted(const std::string& directory, const std::string& path,
                              std::string_view content);

/// Trusts `content` under `path` (absolute). Makes `directory` (0700) and the entry (0600), whose
/// text is the path, for readers. Harmless when repeated. Throws SystemError.
void trust(const std::string& directory, const std::string& path, std::string_view content);

}  // namespace onelane::settings
