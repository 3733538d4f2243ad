#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onelane::settings {

/// One `KEY=value` line of a .env file.
struct DotenvEntry {
  std::string key;
  std::string value;        ///< Without quotes and comment; nothing is ever expanded or evaluated.
  int line = 0;             ///< From 1.
  bool in_block = false;    ///< Between `# onelane` and `# /onelane` or the first empty line.
  bool well_formed = true;  ///< False: a quote is not closed, or something follows it.
};

/// Reads .env text as data: `KEY=value`, `export KEY=value`, '...' (literal), "..." (with \n \r \t
/// \\ \" \$ \`), `#` comments at the start of a line or value or after a space, LF or CRLF, a byte
/// order mark. One entry per line; any other line is left out. Returns all entries in order: the
/// last one of a key wins.
[[nodiscard]] std::vector<DotenvEntry> parse_dotenv(std::string_view text);

}  // namespace onelane::settings
