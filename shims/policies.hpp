#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "shims/args.hpp"
#include "shims/shim.hpp"

/// What the five policies share. Not for use outside shims/.
namespace onelane::shims {

[[nodiscard]] Decision classify_git(Args args, const Facts& facts);
[[nodiscard]] Target target_git(Args args);
/// The subcommand after git's own options, empty when there is none.
[[nodiscard]] std::string_view git_command_of(Args args);

[[nodiscard]] Decision classify_make(Args args, const Facts& facts);
[[nodiscard]] Target target_make(Args args);
[[nodiscard]] const Syntax& make_syntax();
/// The goals, in order; `VAR=value` words are not goals.
[[nodiscard]] std::vector<std::string_view> make_goals_of(Args args);

[[nodiscard]] Decision classify_npm(Args args, const Facts& facts);
[[nodiscard]] Target target_npm(Args args);
/// The package.json script that an npm call runs, else the command's full name; may be empty.
[[nodiscard]] std::string_view npm_name_of(Args args);

[[nodiscard]] Decision classify_pytest(Args args, const Facts& facts);
[[nodiscard]] Target target_pytest(Args args);
[[nodiscard]] const Syntax& pytest_syntax();

[[nodiscard]] Decision classify_vitest(Args args, const Facts& facts);
[[nodiscard]] Target target_vitest(Args args);

/// True when vitest, which uses std-env, takes this for CI: `CI` is set, not empty and not `false`,
/// or the variable of a known provider is set. (std-env 4 counts `CI=false` as CI, std-env 3 does
/// not; a service by mistake does less harm than a watcher that keeps the lane.)
[[nodiscard]] bool is_ci(const Facts& facts);
/// True when vitest believes that it is run by a coding agent.
[[nodiscard]] bool is_agent(const Facts& facts);

/// True when the text of a package.json script keeps running until it is stopped: a dev server or a
/// watcher, alone or after `&&`, in `concurrently` and the like.
[[nodiscard]] bool is_watcher(std::string_view script, const Facts& facts);

}  // namespace onelane::shims
