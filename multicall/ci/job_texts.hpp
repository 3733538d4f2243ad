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
  int before = 0;                      ///< GitLab: line of `before_script:`; 0: none.
  int script = 0;                      ///< Of `script:`,
  int after = 0;                       ///< of `after_script:`.
};

/// A step of a job of GitHub's, or of a composite action.
struct StepText {
  int first = 0;          ///< Its first line.
  int last = 0;           ///< Its last line.
  std::string condition;  ///< Of `if:`; empty for none.
  std::string action;     ///< `uses: ./…`, without the "./".
};

/// The jobs of a CI file as a reader of lines finds them: below `jobs:` in GitHub's workflows, the
/// top-level keys of GitLab's file (`default` and its like among them, and templates, whose names
/// begin with a dot). Pure; whatever cannot be read is left out.
[[nodiscard]] std::vector<JobText> jobs_of_workflow(std::string_view content);
[[nodiscard]] std::vector<JobText> jobs_of_gitlab(std::string_view content);

/// The items of every `steps:` in the file, in order. Pure.
[[nodiscard]] std::vector<StepText> steps_of(std::string_view content);
/// The one with that line; null: none.
[[nodiscard]] const StepText* step_at(const std::vector<StepText>& steps, int line);

/// In which order GitLab runs what stands in that line of a job: 0 for before_script, 1 for script,
/// 2 for after_script. 1 for GitHub's.
[[nodiscard]] int phase_at(const JobText& job, int line);

}  // namespace onelane::multicall::ci
