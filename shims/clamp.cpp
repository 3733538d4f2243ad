#include "shims/clamp.hpp"

#include <algorithm>

#include "shims/clamp_words.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

class Clamping {
 public:
  explicit Clamping(const ClampRequest& request)
      : request_{request},
        hard_{request.mode == Clamp::Hard},
        pytest_{request.pytest_workers > 0 ? request.pytest_workers : request.workers} {}

  Clamped result() {
    bound_pytest();
    if (request_.workers > 0) {
      bound_others();
      bound_vitest();
    }
    if (hard_) {
      lower_flags();
      lower_args();
      const unsigned workers = request_.tool == "pytest" ? pytest_ : request_.workers;
      out_.affinity = workers < request_.processors ? workers : 0;
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is_set(std::string_view name) const {
    return request_.facts->environment(name).has_value();
  }

  void set(std::string_view name, std::string value) {
    out_.environment.emplace_back(name, std::move(value));
  }

  /// Hard: lowers a larger number set by the user. True when the user has set the variable.
  bool is_users(std::string_view name, unsigned workers) {
    const auto own = request_.facts->environment(name);
    if (!own) {
      return false;
    }
    if (const auto count = plain_number(*own); hard_ && count && *count > workers) {
      change(name, *own, std::to_string(workers));
    }
    return true;
  }

  void change(std::string_view name, const std::string& from, const std::string& to) {
    set(name, to);
    out_.changes.push_back(std::string{name} + "=" + from + " -> " + to);
  }

  void bound_pytest() {
    constexpr std::string_view kName = "PYTEST_XDIST_AUTO_NUM_WORKERS";
    // PYTHON_CPU_COUNT sets the same bound for Python itself (3.13).
    if (pytest_ == 0 || is_users(kName, pytest_) || (!hard_ && is_set("PYTHON_CPU_COUNT"))) {
      return;
    }
    set(kName, std::to_string(std::min(pytest_, request_.processors)));
  }

  void bound_others() {
    const std::string workers = std::to_string(request_.workers);
    for (const char* name : {"CARGO_BUILD_JOBS", "GOMAXPROCS", "RAYON_NUM_THREADS"}) {
      if (!is_users(name, request_.workers) && request_.workers < request_.processors) {
        set(name, workers);
      }
    }
    constexpr std::string_view kCMake = "CMAKE_BUILD_PARALLEL_LEVEL";
    const std::string generator = request_.facts->environment("CMAKE_GENERATOR").value_or("");
    if (!is_users(kCMake, request_.workers) && !make_has_jobs(request_) &&
        generator.find("Makefiles") == std::string::npos) {
      // ninja uses two jobs more than there are processors.
      set(kCMake, std::to_string(std::min(request_.workers, request_.processors + 2)));
    }
    constexpr std::string_view kPreCommit = "PRE_COMMIT_NO_CONCURRENCY";
    if (request_.workers == 1 && !is_set(kPreCommit)) {
      set(kPreCommit, "1");
    }
  }

  void bound_vitest() {
    bool users = false;
    for (const char* name : {"VITEST_MAX_FORKS", "VITEST_MAX_THREADS", "VITEST_MAX_WORKERS",
                             "VITEST_MIN_FORKS", "VITEST_MIN_THREADS", "VITEST_MIN_WORKERS"}) {
      users = is_users(name, request_.workers) || users;
    }
    const VitestCount count = users ? VitestCount::Within : vitest_count(request_);
    if (count == VitestCount::Within || (!hard_ && count != VitestCount::Automatic)) {
      return;
    }
    const unsigned automatic = request_.watches ? request_.processors / 2 : request_.processors - 1;
    const unsigned most = count == VitestCount::Automatic ? std::max(automatic, 1U)
                          : count == VitestCount::Unseen  ? request_.processors
                                                          : request_.workers;
    const std::string bound = std::to_string(std::min(request_.workers, most));
    for (const char* name : {"VITEST_MAX_FORKS", "VITEST_MAX_THREADS", "VITEST_MAX_WORKERS"}) {
      set(name, bound);
    }
    if (hard_ && vitest_has_minimum(request_)) {
      set("VITEST_MIN_FORKS", "1");  // vitest 3 refuses a smallest above the largest.
      set("VITEST_MIN_THREADS", "1");
    }
  }

  /// Lowers counts that tools read from a variable with command-line flags.
  void lower_flags() {
    const std::string added = request_.facts->environment("PYTEST_ADDOPTS").value_or("");
    Rewritten pytest{{}};
    const auto words = split_words(added);
    if (pytest_ > 0) {
      pytest = Rewritten{words};
      lower_pytest(words, pytest_, pytest);
    }
    if (pytest.any()) {
      // Quotes are left alone: the option that bounds `-n` is appended.
      change("PYTEST_ADDOPTS", added, added + " --maxprocesses=" + std::to_string(pytest_));
    }
    const std::string flags = request_.facts->environment("MAKEFLAGS").value_or("");
    const bool shared = flags.find("--jobserver") != std::string::npos;
    const auto make_words = split_words(flags);
    if (request_.workers == 0 || shared || make_words.empty() || !flags.starts_with('-') ||
        flags.find('\\') != std::string::npos) {
      return;
    }
    Rewritten make{make_words};
    lower_make(make_words, request_.workers, make);
    if (make.any()) {
      std::string lowered;
      for (const std::string& word : make.words()) {
        lowered += (lowered.empty() ? "" : " ") + word;
      }
      change("MAKEFLAGS", flags, lowered);
    }
  }

  void lower_args() {
    Rewritten out{request_.args};
    const std::string flags = request_.facts->environment("MAKEFLAGS").value_or("");
    if (request_.tool == "pytest") {
      lower_pytest(request_.args, pytest_, out);
    } else if (request_.workers == 0) {
      return;
    } else if (request_.tool == "make" && flags.find("--jobserver") == std::string::npos) {
      lower_make(request_.args, request_.workers, out);
    } else if (request_.tool == "vitest") {
      lower_vitest(request_.args, request_.workers, request_.processors, out);
    }
    if (out.any()) {
      out_.args = out.words();
      out_.changes.insert(out_.changes.end(), out.changes().begin(), out.changes().end());
    }
  }

  const ClampRequest& request_;
  bool hard_;
  unsigned pytest_;
  Clamped out_;
};

}  // namespace

Clamped clamp(const ClampRequest& request) {
  if (request.mode == Clamp::Off || (request.workers == 0 && request.pytest_workers == 0)) {
    return {};
  }
  return Clamping{request}.result();
}

}  // namespace onelane::shims
