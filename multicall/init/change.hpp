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
    Write,    ///< A file that is not there yet, or bytes that go into one.
    Already,  ///< It is there.
    Propose,  ///< The file is the user's: `text` is what to add, by hand.
    Refuse    ///< As Propose, where adding it would have been the task.
  };
  Kind kind = Kind::Already;
  std::string file;  ///< Relative to the project's root.
  std::string why;   ///< One clause; empty where `kind` says it all.
  std::string
      text;  ///< With Write: of a new file, all of it. With Propose and Refuse: what to add.
  bool is_new = false;
  std::string before;   ///< With Write into a file that is there: its text,
  Insertion insertion;  ///< and what goes into it.
  std::string runs;     ///< The command that a hook runs; empty for none.

  [[nodiscard]] std::string after() const { return is_new ? text : insertion.into(before); }
};

/// The same, left to the user because of `why`.
[[nodiscard]] Change refuse(Change change, std::string why);

/// The same with what goes into `before`; refused without it.
[[nodiscard]] Change insert(Change change, const std::optional<Insertion>& insertion);

/// What one option of init asks for.
struct Plan {
  std::string what;  ///< "pre-commit", "claude" …
  std::vector<Change> changes;
  std::vector<std::string> next;  ///< What is left to the user, a command or a sentence a line.
};

/// A file below the project's root as it is now.
struct Found {
  enum class Kind { Missing, Text, Unusable };
  Kind kind = Kind::Missing;
  std::string text;
  std::string why;  ///< With Unusable: "a symbolic link" …
};
[[nodiscard]] Found look_for(const std::string& root, const std::string& file);

/// The unified diff of a Write, with three lines around it; a new file against /dev/null.
[[nodiscard]] std::string diff_of(const Change& change);

/// Writes it below `root`, in one step, and puts into `manifest` what uninit needs; makes the
/// directory that it is in. Throws SystemError.
void write_change(const std::string& root, const Change& change, Manifest& manifest);

/// Undoes what write_change has noted, where the file is as it was left: byte by byte what it was.
/// One line for each file that has been changed since, which stays. Throws SystemError.
[[nodiscard]] std::vector<std::string> take_back(const std::string& root, const Manifest& manifest);

[[nodiscard]] nlohmann::json to_json(const Change& change);

}  // namespace onelane::multicall::setup
