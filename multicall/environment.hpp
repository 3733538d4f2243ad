#pragma once

#include <string>
#include <vector>

namespace onelane::multicall {

/// The tool's environment: the caller's, with what a run adds.
///
///   ONELANE_HELD            run ids above the tool, this run's last (marker and token)
///   ONELANE_AT              which candidate on PATH was executed (see core/tool/find.hpp)
///   SEQUENTIAL_EXECUTOR_PID the supervisor's pid, for scripts that look for it; proves nothing
///
/// Points into `environ`; valid while that and this object live.
class ToolEnvironment {
 public:
  ToolEnvironment(const std::string& run_id, const std::string& at);
  [[nodiscard]] const char* const* data() const noexcept { return pointers_.data(); }

 private:
  std::vector<std::string> own_;
  std::vector<const char*> pointers_;
};

}  // namespace onelane::multicall
