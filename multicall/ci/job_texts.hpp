#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::ci {

/// Where a job stands in a CI file, and what it takes from elsewhere.
struct JobText {
  std::string name;
  int first = 0;                       ///< Its first line.
  int last = 0;                        ///< Its last line.
  std::vector<std::string> templates;  ///< GitLab: jobs that it extends.
  std::vector<std::string> actions;    ///< GitHub: `uses: ./…`, without the "./".
};

/// The jobs of a CI file as a reader of lines finds them: below `jobs:` in GitHub's workflows, the
/// top-level keys of GitLab's file (`default` and its like among them, and templates, whose names
/// begin with a dot). Pure; whatever cannot be read is left out.
[[nodiscard]] std::vector<JobText> jobs_of_workflow(std::string_view content);
[[nodiscard]] std::vector<JobText> jobs_of_gitlab(std::string_view content);

}  // namespace onelane::multicall::ci
