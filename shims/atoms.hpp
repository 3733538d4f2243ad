#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shims/shim.hpp"

namespace onelane::shims {

/// Which commands over files may be split into one command for every few files, so that memory is
/// freed between them. Pure: words in, a value out.
///
/// The table lists only tools that check or rewrite each file on its own: exit code, diagnostics
/// and rewritten files are those of the whole command. Lines that sum up a call ("Found 3 errors.")
/// appear once per part. An option that is not listed for a tool is refused: its next word might be
/// a value or a file.

/// How an option takes its value.
enum class AtomValue {
  None,
  Next,      ///< The rest of the word or the next one.
  Attached,  ///< The rest of the word only.
  NextTwo,   ///< The next two words.
};

/// Options that make the files of one call depend on each other.
struct AtomRefusal {
  std::string_view names;  ///< "-s --slurp"
  AtomValue value = AtomValue::None;
  std::string_view why;       ///< One clause.
  std::string_view unless{};  ///< Values that are harmless.
};

/// How the files below a directory are found.
enum class AtomListing {
  None,     ///< Not at all: the tool takes files only; a directory is passed on as it is.
  Own,      ///< By the tool itself, called with `list_flag`.
  Git,      ///< From git's index and ignore files; outside git, every file.
  Include,  ///< As Git, and the tool searches again with `--include REGEX` for each part.
};

/// One tool of the table. Lists are words between spaces; patterns are globs (`*`).
struct AtomTool {
  std::string_view name;     ///< For users: "ruff check".
  std::string_view program;  ///< Base name of the program, or module after `python -m`.
  std::string_view part{};   ///< Subcommand that must follow it.
  std::string_view flags{};
  std::string_view values{};    ///< Options that take a value.
  std::string_view attached{};  ///< Options whose value is in the same word.
  std::string_view pairs{};     ///< Options that take two words.
  std::span<const AtomRefusal> refusals{};
  std::string_view required{};      ///< One of these options must be given …
  std::string_view required_why{};  ///< … because.
  std::string_view variables{};     ///< Environment variables with options: must not be set.
  AtomListing listing = AtomListing::None;
  std::string_view list_flag{};
  std::string_view files{};        ///< Base names taken from a directory; empty: all.
  std::string_view not_files{};    ///< Base names left out: the tool would only skip them.
  std::string_view not_below{};    ///< Names of directories that are not searched.
  int since = 0;                   ///< Major version from which a directory can be listed.
  std::string_view added{};        ///< Options added when files of a directory are named.
  std::string_view settings_at{};  ///< Option that pins the settings to the first operand's.
  std::string_view pinned_by{};    ///< Options that already pin the settings.
  /// Files that the tool looks for from the common directory of all operands upward: one below that
  /// directory would be found by a part, but not by the whole call.
  std::string_view markers{};
  std::string_view settings{};       ///< Settings files, looked for upward from each file, …
  std::string_view section{};        ///< … sections of them …
  std::string_view keys{};           ///< … and keys in these that rule out the split,
  std::string_view words{};          ///< … or words.
  std::string_view whole_operand{};  ///< Meant when no operand is given; empty: one is needed.
  std::size_t leading = 0;           ///< Operands before the files.
  std::size_t batch = 50;            ///< Files in one command.
  bool one_dash = false;             ///< Accepts `-noout` for `--noout`.
  bool spares_ignored = false;       ///< Skips files that git ignores even when they are tracked.
  bool follows_links = true;         ///< Takes symbolic links from a directory.
  bool on_request = false;           ///< Split only when `--atoms` names the tool.
  int nothing_code = 0;              ///< Exit code for "nothing to do"; 0: none.
  bool is_tested = true;             ///< Our tests compare the parts with the whole call.
  std::string_view note{};           ///< Where the parts may still differ from the whole call.
};

/// The table in two parts, each sorted by name.
[[nodiscard]] std::span<const AtomTool> python_atom_tools();
[[nodiscard]] std::span<const AtomTool> other_atom_tools();

/// The tool for `program` (base name, or a module after `python -m`) and the word after it; nullptr
/// when the table has none. `python -m py_compile` is not listed: it stops at the first file that
/// it cannot read, so the parts would report more.
[[nodiscard]] const AtomTool* find_atom_tool(std::string_view program, std::string_view next);

/// What the caller permits.
struct AtomConsent {
  bool pytest_files = false;  ///< `--atoms=pytest-file`
  bool force = false;         ///< Lift refusals by option or setting.
};

/// A parsed command.
struct AtomCall {
  const AtomTool* tool = nullptr;  ///< nullptr: not in the table.
  std::string refusal;             ///< Why it is not split; empty when it is.
  bool force_helps = false;        ///< `--force` would lift the refusal.
  std::size_t program = 0;         ///< Index of the word that names the tool.
  std::size_t options = 0;         ///< Index of the first word after the tool and its subcommand.
  std::vector<std::size_t> files;  ///< Indices of the words that name files or directories.
  bool pins_settings = false;      ///< One of `pinned_by` is given.
};

/// Parses `words` (with argv[0]).
[[nodiscard]] AtomCall read_atom_call(Args words, const AtomConsent& consent, const Facts& facts);

/// The space-separated words of `list`, as views into it.
[[nodiscard]] std::vector<std::string_view> atom_words(std::string_view list);

/// True when one of the space-separated globs in `list` matches `word`.
[[nodiscard]] bool atom_listed(std::string_view list, std::string_view word);

/// Reasons shared by several rows of the atoms table. Not for use outside shims/.

inline constexpr std::string_view kAtomOneDocument = "each part would write a document of its own";
inline constexpr std::string_view kAtomOneOutput =
    "each part would write over the file of the one before";
inline constexpr std::string_view kAtomCacheOfAll = "the cache is kept for the files of one call";
inline constexpr std::string_view kAtomNoCheck = "it does not go through files";
inline constexpr std::string_view kAtomStandardInput = "standard input can be read once";
inline constexpr std::string_view kAtomMediaFiles =
    "*.avif *.bmp *.eot *.gif *.gz *.ico *.jar *.jpeg *.jpg *.mov *.mp3 *.mp4 *.otf *.pdf *.png "
    "*.so *.tar *.tgz *.ttf *.wasm *.webm *.webp *.whl *.woff *.woff2 *.xz *.zip";

}  // namespace onelane::shims
