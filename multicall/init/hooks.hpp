#pragma once

#include <string>
#include <vector>

#include "core/project/project.hpp"
#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {

/// What a hook of this project can run, the best first: `make check` or `make test` where a
/// makefile has that target, `npm test` where package.json has that script, `pytest -q` where
/// pytest is configured. Reads files of `root`, runs nothing.
[[nodiscard]] std::vector<std::string> checks_of(const std::string& root);

/// The plan of `init --pre-commit`, `--husky` or `--lefthook` (`manager`): a minimal config where
/// there is none, a proposal where there is one. Asks git for core.hooksPath.
[[nodiscard]] Plan plan_hooks(const project::Project& project, const std::string& manager);

}  // namespace onelane::multicall::setup
