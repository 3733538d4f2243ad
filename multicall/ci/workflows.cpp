#include "multicall/ci/workflows.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>

#include "core/sys/file_descriptor.hpp"
#include "multicall/audit/prefixes.hpp"
#include "multicall/audit/rules.hpp"
#include "multicall/audit/shell_words.hpp"
#include "multicall/audit/sources.hpp"
#include "multicall/ci/job_texts.hpp"

namespace onelane::multicall::ci {
namespace {

namespace fs = std::filesystem;
using audit::is_in;

constexpr std::size_t kLongestFile = std::size_t{1} << 20U;
constexpr int kDeepestCall = 4;

/// Keys at the top of .gitlab-ci.yml whose commands run in every job, and those without any.
constexpr std::string_view kEverywhere = "default before_script after_script";
constexpr std::string_view kNoJobs = "stages variables include workflow image services cache spec";

/// What the commands of a job do to the queue.
struct QueueUse {
  int added = 0;  ///< Line of the first one that adds; 0: none.
  bool starts = false;

  void merge(const QueueUse& other) {
    added = added == 0 ? other.added : added;
    starts = starts || other.starts;
  }
};

/// Reads commands, those in scripts of the project that they call too.
class QueueReader {
 public:
  explicit QueueReader(const FileReader& read) : read_{read} {}

  QueueUse use_of(std::string_view script, int line, int depth) {
    QueueUse use;
    for (const audit::Words& command : audit::commands_in(script, line)) {
      use.merge(use_of(command.words, command.line, depth));
    }
    return use;
  }

  QueueUse use_of(std::span<const std::string> words, int line, int depth) {
    if (const auto inner = audit::inner_script(words); inner && depth < kDeepestCall) {
      return use_of(*inner, line, depth + 1);
    }
    const auto rest = audit::strip(words).rest;
    if (rest.empty()) {
      return {};
    }
    const std::string_view name = audit::base_of(rest[0]);
    if (name == "sep_queue.sh") {
      const bool starts = std::ranges::find(rest, "--queue-start") != rest.end();
      const bool adds = std::ranges::find(rest, "--") != rest.end();
      return {adds ? line : 0, starts};
    }
    if (name == "onelane" && rest.size() > 2 && rest[1] == "queue") {
      return {rest[2] == "add" ? line : 0, rest[2] == "start"};
    }
    if (name == "trap" && rest.size() > 1 && depth < kDeepestCall) {
      return use_of(rest[1], line, depth + 1);
    }
    return called(rest, line, depth);
  }

  /// The scripts of a composite action; its lines are none of the caller's.
  QueueUse use_of_action(const std::string& folder, int line) {
    QueueUse use;
    for (const char* name : {"/action.yml", "/action.yaml"}) {
      const auto content = read_(folder + name);
      for (const audit::Script& script :
           content ? audit::scripts_of_yaml(*content) : std::vector<audit::Script>{}) {
        use.merge(use_of(script.text, script.line, 1));
      }
    }
    use.added = use.added == 0 ? 0 : line;
    return use;
  }

 private:
  /// `./all.sh`, `bash all.sh`, `onelane run -- ./all.sh`.
  QueueUse called(std::span<const std::string> words, int line, int depth) {
    const std::string_view name = audit::base_of(words[0]);
    if (is_in(name, "onelane seq safe-run")) {
      const auto dashes = std::ranges::find(words, "--");
      const auto behind = static_cast<std::size_t>(dashes - words.begin()) + 1;
      return behind < words.size() ? use_of(words.subspan(behind), line, depth) : QueueUse{};
    }
    if (is_in(name, "bash sh dash . source")) {
      words = audit::skip_options(words.subspan(1), "-o -O");
    }
    if (words.empty() || depth >= kDeepestCall) {
      return {};
    }
    std::string path = words[0].starts_with("./") ? words[0].substr(2) : words[0];
    const auto content = path.find('/') == 0 || path.empty() ? std::nullopt : read_(path);
    if (!content || !seen_.insert(path).second) {
      return {};
    }
    QueueUse use = use_of(*content, 1, depth + 1);
    seen_.erase(path);
    use.added = use.added == 0 ? 0 : line;
    return use;
  }

  const FileReader& read_;
  std::set<std::string> seen_;  ///< Scripts we are in: one that calls itself ends here.
};

/// One CI file.
class CiFile {
 public:
  CiFile(const std::string& name, std::string_view content, const FileReader& read)
      : name_{name}, scripts_{audit::scripts_of_yaml(content)}, reader_{read} {
    is_gitlab_ = audit::base_of(name) == ".gitlab-ci.yml";
    jobs_ = is_gitlab_ ? jobs_of_gitlab(content) : jobs_of_workflow(content);
  }

  std::vector<UnstartedQueue> unstarted() {
    QueueUse everywhere;
    for (const JobText& job : jobs_) {
      if (is_gitlab_ && is_in(job.name, kEverywhere)) {
        everywhere.merge(use_of(job, 0));
      }
    }
    std::vector<UnstartedQueue> out;
    for (const JobText& job : jobs_) {
      if (is_gitlab_ &&
          (is_in(job.name, kEverywhere) || is_in(job.name, kNoJobs) || job.name.starts_with('.'))) {
        continue;
      }
      QueueUse use = use_of(job, 0);
      use.merge(everywhere);
      if (use.added != 0 && !use.starts) {
        out.push_back({name_, job.name, use.added});
      }
    }
    return out;
  }

 private:
  QueueUse use_of(const JobText& job, int depth) {
    QueueUse use;
    for (const audit::Script& script : scripts_) {
      if (script.line >= job.first && script.line <= job.last) {
        use.merge(reader_.use_of(script.text, script.line, 0));
      }
    }
    for (const std::string& action : job.actions) {
      use.merge(reader_.use_of_action(action, job.first));
    }
    for (const JobText& other : jobs_) {
      if (depth < kDeepestCall &&
          std::ranges::find(job.templates, other.name) != job.templates.end()) {
        use.merge(use_of(other, depth + 1));
      }
    }
    return use;
  }

  std::string name_;
  std::vector<audit::Script> scripts_;
  std::vector<JobText> jobs_;
  bool is_gitlab_ = false;
  QueueReader reader_;
};

/// CI files of the project, by name. Links are followed nowhere.
std::vector<std::string> ci_files(const std::string& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at{root + "/.github/workflows", error}, end; !error && at != end;
       at.increment(error)) {
    const std::string extension = at->path().extension().string();
    if (extension == ".yml" || extension == ".yaml") {
      names.push_back(".github/workflows/" + at->path().filename().string());
    }
  }
  names.emplace_back(".gitlab-ci.yml");
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::vector<UnstartedQueue> unstarted_queues(const std::string& file, std::string_view content,
                                             const FileReader& read) {
  return CiFile{file, content, read}.unstarted();
}

std::vector<UnstartedQueue> unstarted_queues_of(const std::string& root) {
  const FileReader read = [&root](const std::string& path) -> std::optional<std::string> {
    std::error_code error;
    const fs::path whole = root + "/" + path;
    // Nothing outside the checkout, and no FIFO that nobody writes to.
    if (path.find("..") != std::string::npos ||
        fs::symlink_status(whole, error).type() != fs::file_type::regular) {
      return std::nullopt;
    }
    auto text = sys::read_small_file(whole.c_str(), kLongestFile);
    return text && text->find('\0') == std::string::npos ? text : std::nullopt;
  };
  std::vector<UnstartedQueue> out;
  for (const std::string& name : ci_files(root)) {
    if (const auto content = read(name)) {
      std::ranges::move(unstarted_queues(name, *content, read), std::back_inserter(out));
    }
  }
  return out;
}

}  // namespace onelane::multicall::ci
