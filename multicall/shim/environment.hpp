#pragma once

#include <string>
#include <utility>
#include <vector>

namespace onelane::multicall {

/// The tool's environment: the caller's, with what a run adds.
///
///   ONELANE_HELD            run ids above the tool, this run's last (marker and token)
///   ONELANE_AT              which candidate on PATH was executed (see core/tool/find.hpp)
///   SEQUENTIAL_EXECUTOR_PID the supervisor's pid, for scripts that look for it; proves nothing
///   `more`                  variables a setting asks for; each replaces the caller's
///
/// ONELANE_BATCH and ONELANE_LABEL are taken out: they are the run's own (batch_environment.hpp).
/// Points into `environ`; valid while that and this object live.
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
