#pragma once

#include <string>
#include <vector>

#include "core/project/project.hpp"
#include "multicall/cli/options.hpp"
#include "multicall/init/adopt.hpp"

namespace onelane::multicall::setup {

/// The options of init about files of other programs.
struct SetupOptions {
  bool pre_commit = false;
  bool husky = false;
  bool lefthook = false;
  std::vector<std::string> agents;
  bool yes = false;
  bool dry_run = false;
  bool as_json = false;

  [[nodiscard]] bool is_wanted() const noexcept {
    return pre_commit || husky || lefthook || !agents.empty();
  }
};

void add_setup_options(Options& app, SetupOptions& options);

/// Writes or proposes each change, or leaves the file alone, and says which. Before it writes for
/// an agent it shows the diff and asks; blocks for the answer. Prints `done` first, which may be
/// empty. Returns 0; 1 if something was refused or the answer was no; 64 if there was no terminal
/// to ask on.
[[nodiscard]] int set_up(const project::Project& project, const SetupOptions& options,
                         const InitReport& done);

}  // namespace onelane::multicall::setup
