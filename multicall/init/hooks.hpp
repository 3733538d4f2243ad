#pragma once

#include <string>
#include <vector>

#include "core/project/project.hpp"
#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {

/// Commands that a hook of this project can run, the best first: `make check` or `make test` if the
/// makefile has that target, `npm test` if package.json has that script, `pytest -q` if pytest is
/// configured. Reads files of `root`, runs nothing.
[[nodiscard]] std::vector<std::string> checks_of(const std::string& root);

/// The plan of `init --pre-commit`, `--husky` or `--lefthook` (`manager`): a minimal config if
/// there is none, else a proposal. Runs git to read core.hooksPath.
[[nodiscard]] Plan plan_hooks(const project::Project& project, const std::string& manager);

}  // namespace onelane::multicall::setup
