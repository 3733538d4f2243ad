#pragma once

#include <string>
#include <utility>
#include <vector>

namespace onelane::multicall {

/// The environment of the tool: the caller's, with the variables that a run adds.
///
///   ONELANE_HELD            ids of the runs that the tool is below, this one last
///   ONELANE_AT              which candidate on PATH was executed (see core/tool/find.hpp)
///   SEQUENTIAL_EXECUTOR_PID the supervisor's pid, for scripts that look for it; proves nothing
///   `more`                  variables that settings add; each replaces the caller's
///
/// ONELANE_QUEUE_START and ONELANE_LABEL are removed: they are for this run, not for runs below it
/// (multicall/queue/child.hpp). Points into `environ`; valid as long as both that and this
/// object are unchanged.
class ToolEnvironment {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;
  ToolEnvironment(const std::string& run_id, const std::string& at, const Variables& more = {});
  [[nodiscard]] const char* const* data() const noexcept { return pointers_.data(); }

 private:
  std::vector<std::string> own_;
  std::vector<const char*> pointers_;
};

}  // namespace onelane::multicall
