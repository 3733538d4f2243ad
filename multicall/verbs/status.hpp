#pragma once

#include <memory>

#include "multicall/term/paint.hpp"
#include "multicall/view/project_view.hpp"

namespace onelane::multicall {

enum class StatusForm { Text, Json };

/// The project of the current directory; null, after one line on stderr, if no project has adopted
/// onelane or its lane cannot be read.
[[nodiscard]] std::unique_ptr<ProjectWatch> status_source();

/// `onelane status --watch`: shows the project of the current directory until a signal ends us; in
/// place on a terminal, elsewhere anew whenever more changes than elapsed time. Blocks. Returns an
/// exit code when there is no project any more or its output has no reader. Throws SystemError.
[[nodiscard]] int watch_status(StatusForm form, const Paint& paint);

}  // namespace onelane::multicall
