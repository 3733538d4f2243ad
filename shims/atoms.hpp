#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shims/shim.hpp"

/// Which commands over files may be split into one command for every few files, so that memory
/// is given back between them. Pure: words in, a value out.
///
/// In the table is only what judges or rewrites each file for itself: its exit code, its
/// diagnostics and the files it rewrites are those of the whole command. Lines that sum up a
/// call ("Found 3 errors.") come once a part. An option that is not listed for a tool is
/// refused: nobody can tell whether its next word is a value or a file.
namespace onelane::shims {

/// How an option takes its value.
enum class AtomValue {
  None,
  Next,      ///< The rest of the word or the next one.
  Attached,  ///< The rest of the word only.
  NextTwo,   ///< The next two words.
};

/// Options that make files of one call depend on each other.
struct AtomRefusal {
  std::string_view names;  ///< "-s --slurp"
  AtomValue value = AtomValue::None;
  std::string_view why;       ///< One clause.
  std::string_view unless{};  ///< Values that are fine.
};

/// Who says which files are below a directory.
enum class AtomListing {
  None,     ///< The tool takes files only; a directory is handed on as it is.
  Own,      ///< The tool itself, asked with `list_flag`.
  Git,      ///< git's index and ignore files; outside git everything that is there.
  Include,  ///< As Git, and the tool walks again with `--include REGEX` for each part.
};

/// One tool of the table. Lists are words between spaces, patterns are globs (`*`).
struct AtomTool {
  std::string_view name;     ///< For people: "ruff check".
  std::string_view program;  ///< Base name of the program, or module behind `python -m`.
  std::string_view part{};   ///< Sub-command that must follow it.
  std::string_view flags{};
  std::string_view values{};    ///< Options that take a value.
  std::string_view attached{};  ///< Options whose value stands in the same word.
  std::string_view pairs{};     ///< Options that take two words.
  std::span<const AtomRefusal> refusals{};
  std::string_view required{};      ///< One of these options must be given …
  std::string_view required_why{};  ///< … because.
  std::string_view variables{};     ///< Environment that must not be set: options in disguise.
  AtomListing listing = AtomListing::None;
  std::string_view list_flag{};
  std::string_view files{};        ///< Base names taken from a directory; empty: all.
  std::string_view not_files{};    ///< Base names left out: the tool would only skip them.
  std::string_view not_below{};    ///< Names of directories that are not entered.
  int since = 0;                   ///< Major version from which a directory can be listed.
  std::string_view added{};        ///< Options added where files of a directory are named.
  std::string_view settings_at{};  ///< Option that pins the settings to the first operand.
  std::string_view pinned_by{};    ///< Options with which the settings are pinned already.
  /// Files that the tool looks for from what all operands have in common upward: one below
  /// that place would be found by a part, and not by the whole.
  std::string_view markers{};
  std::string_view settings{};       ///< Settings files, looked for upward from each file, …
  std::string_view section{};        ///< … sections of them …
  std::string_view keys{};           ///< … and keys in these that forbid the split,
  std::string_view words{};          ///< … or words.
  std::string_view whole_operand{};  ///< What no operand means; empty: operands are needed.
  std::size_t leading = 0;           ///< Operands before the files.
  std::size_t batch = 50;            ///< Files in one command.
  bool one_dash = false;             ///< `-noout` is `--noout`.
  bool spares_ignored = false;       ///< Skips what git ignores even where it is tracked.
  bool follows_links = true;         ///< Takes symbolic links from a directory.
  bool on_request = false;           ///< Only where `--atoms` names it.
  int nothing_code = 0;              ///< Exit code for "nothing to do"; 0: none.
  bool is_tested = true;             ///< Parts and whole are compared by our tests.
  std::string_view note{};           ///< Where parts and whole may differ all the same.
};

/// The table in two parts, each sorted by name.
[[nodiscard]] std::span<const AtomTool> python_atom_tools();
[[nodiscard]] std::span<const AtomTool> other_atom_tools();

/// The tool that `program` (base name, or a module behind `python -m`) with the word after it
/// is; nullptr when the table has none. `python -m py_compile` has none: it ends at the first
/// file that it cannot read, so that parts would say more.
[[nodiscard]] const AtomTool* find_atom_tool(std::string_view program, std::string_view next);

/// What the caller allows.
struct AtomConsent {
  bool pytest_files = false;  ///< `--atoms=pytest-file`
  bool force = false;         ///< Refusals by option or setting are lifted.
};

/// A command, taken apart.
struct AtomCall {
  const AtomTool* tool = nullptr;  ///< nullptr: not in the table.
  std::string refusal;             ///< Why it is not split; empty when it is.
  bool force_helps = false;        ///< `--force` would lift the refusal.
  std::size_t program = 0;         ///< Index of the word that names the tool.
  std::size_t options = 0;         ///< Index of the first word after it and its part.
  std::vector<std::size_t> files;  ///< Indices of the words that name files or directories.
  bool pins_settings = false;      ///< One of `pinned_by` is given.
};

/// Reads `words` (with argv[0]).
[[nodiscard]] AtomCall read_atom_call(Args words, const AtomConsent& consent, const Facts& facts);

/// The words between spaces in `list`, as views into it.
[[nodiscard]] std::vector<std::string_view> atom_words(std::string_view list);

/// One of the words between spaces in `list` is `word`, as a glob.
[[nodiscard]] bool atom_listed(std::string_view list, std::string_view word);

}  // namespace onelane::shims
