#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::ci {

/// A job of a CI file that puts commands into the batch queue and never starts it: it would be
/// green without having run one of them.
struct UnstartedQueue {
  std::string file;  ///< The CI file.
  std::string job;   ///< As the file names it.
  int line = 0;      ///< In the file: of the first call that queues, or that leads to it.
};

/// Content of a file of the project, by its path from the root; nothing where there is none.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;

/// Those in `content`, a file of GitHub's workflows or GitLab's .gitlab-ci.yml, in order. Follows
/// what a job calls in the project (scripts, composite actions) through `read`; nothing is run.
/// Knows `onelane queue` and the seeds' sep_queue.sh. Pure apart from `read`.
[[nodiscard]] std::vector<UnstartedQueue> unstarted_queues(const std::string& file,
                                                           std::string_view content,
                                                           const FileReader& read);

/// The same for all CI files of the project at `root`, by name.
[[nodiscard]] std::vector<UnstartedQueue> unstarted_queues_of(const std::string& root);

}  // namespace onelane::multicall::ci
