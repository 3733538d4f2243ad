#include "multicall/ci/workflows.hpp"

#include <algorithm>
#include <filesystem>

#include "core/sys/file_descriptor.hpp"
#include "multicall/audit/prefixes.hpp"
#include "multicall/audit/sources.hpp"
#include "multicall/ci/condition.hpp"
#include "multicall/ci/job_texts.hpp"
#include "multicall/ci/queue_use.hpp"

namespace onelane::multicall::ci {
namespace {

namespace fs = std::filesystem;
using audit::is_in;

constexpr std::size_t kLongestFile = std::size_t{1} << 20U;
constexpr int kDeepestTemplate = 4;

/// Keys at the top of .gitlab-ci.yml whose commands run in every job, and those without any.
constexpr std::string_view kEverywhere = "default before_script after_script";
constexpr std::string_view kNoJobs = "stages variables include workflow image services cache spec";

/// A script or a composite action of a job, with its place among them.
struct Piece {
  int phase = 0;  ///< GitLab: before_script, script, after_script.
  int line = 0;
  const audit::Script* script = nullptr;
  std::string action;  ///< Where there is no script.
};

/// One CI file.
class CiFile {
 public:
  CiFile(const std::string& name, std::string_view content, const FileReader& read)
      : name_{name}, scripts_{audit::scripts_of_yaml(content)}, reader_{read} {
    is_gitlab_ = audit::base_of(name) == ".gitlab-ci.yml";
    jobs_ = is_gitlab_ ? jobs_of_gitlab(content) : jobs_of_workflow(content);
    steps_ = is_gitlab_ ? std::vector<StepText>{} : steps_of(content);
  }

  std::vector<UnstartedQueue> unstarted() {
    std::vector<Piece> everywhere;
    for (const JobText& job : jobs_) {
      if (is_gitlab_ && is_in(job.name, kEverywhere)) {
        add_pieces(job, 0, everywhere);
      }
    }
    std::vector<UnstartedQueue> out;
    for (const JobText& job : jobs_) {
      if (is_gitlab_ &&
          (is_in(job.name, kEverywhere) || is_in(job.name, kNoJobs) || job.name.starts_with('.'))) {
        continue;
      }
      std::vector<Piece> pieces = everywhere;
      add_pieces(job, 0, pieces);
      std::ranges::stable_sort(pieces, {}, &Piece::phase);
      if (const QueueUse use = use_of(pieces); use.added != 0) {
        out.push_back({name_, job.name, use.added});
      }
    }
    return out;
  }

 private:
  QueueUse use_of(const std::vector<Piece>& pieces) {
    QueueUse use;
    for (const Piece& piece : pieces) {
      use.then(piece.script != nullptr ? reader_.use_of(piece.script->text, piece.script->line, 0)
                                       : reader_.use_of_action(piece.action, piece.line));
    }
    return use;
  }

  /// Those of the jobs that it extends come first.
  void add_pieces(const JobText& job, int depth, std::vector<Piece>& out) const {
    for (const JobText& other : jobs_) {
      if (depth < kDeepestTemplate &&
          std::ranges::find(job.templates, other.name) != job.templates.end()) {
        add_pieces(other, depth + 1, out);
      }
    }
    std::vector<Piece> own;
    for (const audit::Script& script : scripts_) {
      if (script.line >= job.first && script.line <= job.last && !is_skipped(script.line)) {
        own.push_back({phase_at(job, script.line), script.line, &script, {}});
      }
    }
    for (const StepText& step : steps_) {
      if (step.first >= job.first && step.last <= job.last && !step.action.empty() &&
          !is_skipped(step.first)) {
        own.push_back({phase_at(job, step.first), step.first, nullptr, step.action});
      }
    }
    std::ranges::stable_sort(own, {}, &Piece::line);
    std::ranges::move(own, std::back_inserter(out));
  }

  [[nodiscard]] bool is_skipped(int line) const {
    const StepText* const step = step_at(steps_, line);
    return step != nullptr && skips_when_green(step->condition);
  }

  std::string name_;
  std::vector<audit::Script> scripts_;
  std::vector<JobText> jobs_;
  std::vector<StepText> steps_;
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
