#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/init/adoption.hpp"
#include "multicall/init/json_text.hpp"

namespace onelane::multicall::setup {

/// What init does, or would do, to one file of the project.
struct Change {
  enum class Kind {
    Write,    ///< Create a file, or insert bytes into one.
    Already,  ///< Nothing to do: the file has it already.
    Propose,  ///< The file is the user's: `text` is what to add by hand.
    Refuse    ///< Like Propose, but it counts as a failure.
  };
  Kind kind = Kind::Already;
  std::string file;  ///< Relative to the project's root.
  std::string why;   ///< The reason, one clause; may be empty.
  std::string text;  ///< The whole text of a new file; with Propose and Refuse, what to add.
  bool is_new = false;
  std::string before;   ///< With Write into an existing file: its text,
  Insertion insertion;  ///< and what to insert.
  std::string runs;     ///< The command that a hook runs; empty for none.

  [[nodiscard]] std::string after() const { return is_new ? text : insertion.into(before); }
};

/// The same change, left to the user because of `why`.
[[nodiscard]] Change refuse(Change change, std::string why);

/// The same change with an insertion into `before`; refused if there is no insertion.
[[nodiscard]] Change insert(Change change, const std::optional<Insertion>& insertion);

/// The changes that one option of init asks for.
struct Plan {
  std::string what;  ///< "pre-commit", "claude" …
  std::vector<Change> changes;
  std::vector<std::string> next;  ///< What the user has to do, one command or sentence per line.
};

/// A file below the project's root as it is now.
struct Found {
  enum class Kind { Missing, Text, Unusable };
  Kind kind = Kind::Missing;
  std::string text;
  std::string why;  ///< With Unusable: "a symbolic link" …
};
[[nodiscard]] Found look_for(const std::string& root, const std::string& file);

/// The unified diff of a Write, with three lines of context; a new file against /dev/null.
[[nodiscard]] std::string diff_of(const Change& change);

/// Writes the change below `root` in one step, creates its directory, and adds to `manifest` what
/// uninit needs. Throws SystemError.
void write_change(const std::string& root, const Change& change, Manifest& manifest);

/// Restores each file that write_change() noted, byte for byte, if it is as it was left. Returns
/// one line for each file that has been changed since, which stays as it is. Throws SystemError.
[[nodiscard]] std::vector<std::string> take_back(const std::string& root, const Manifest& manifest);

[[nodiscard]] nlohmann::json to_json(const Change& change);

}  // namespace onelane::multicall::setup
