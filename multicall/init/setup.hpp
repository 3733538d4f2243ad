#pragma once

#include <string>
#include <vector>

#include "core/project/project.hpp"
#include "multicall/cli/options.hpp"
#include "multicall/init/adopt.hpp"

namespace onelane::multicall::setup {

/// What init is asked to put into the files of other programs.
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

/// Writes, proposes or leaves alone, and says which; before it writes for an agent it shows the
/// diff and asks. `done` is told first; empty when init had nothing to do. Gives 0, 1 when
/// something had to be refused or the answer was no, 64 when there was nobody to ask.
[[nodiscard]] int set_up(const project::Project& project, const SetupOptions& options,
                         const InitReport& done);

}  // namespace onelane::multicall::setup
