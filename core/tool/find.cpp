#include "core/tool/find.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "core/sys/file_descriptor.hpp"
#include "core/tool/marker.hpp"

namespace onelane::tool {
namespace {

constexpr unsigned kMostRestarts = 4;
constexpr unsigned kMostRepeats = 16;
constexpr unsigned kRecursionTrusted = 16;  ///< Sub-makes of large trees nest up to a dozen deep.
constexpr unsigned kMostDepth = 64;
constexpr std::uint64_t kRowSeconds = 10;

Verdict judge(const std::string& path, const struct stat& info) noexcept {
  if (!S_ISREG(info.st_mode)) {
    return Verdict::NotAFile;
  }
  if (FileId{info.st_dev, info.st_ino} == self_file()) {
    return Verdict::Self;
  }
  // AT_EACCESS: execve(2) checks the effective user.
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) {
    return Verdict::NotExecutable;
  }
  return is_onelane(path.c_str()) ? Verdict::OnelaneCopy : Verdict::Real;
}

/// The files of one name on PATH, in order; one buffer serves for all paths tried.
class Walk {
 public:
  Walk(std::string_view name, const char* path) : name_{name} {
    if (path != nullptr) {
      rest_ = path;
    } else {
      default_.resize(::confstr(_CS_PATH, nullptr, 0));
      ::confstr(_CS_PATH, default_.data(), default_.size());
      rest_ = default_.c_str();
    }
    done_ = name.empty() || name.find('/') != std::string_view::npos;
  }

  /// Moves to the next file of the name, whatever it is; false at the end of PATH.
  bool next() {
    while (!done_) {
      const std::size_t colon = rest_.find(':');
      const std::string_view entry = rest_.substr(0, colon);
      done_ = colon == std::string_view::npos;
      rest_.remove_prefix(done_ ? rest_.size() : colon + 1);
      struct stat info {};
      if (!enter(entry) || ::lstat(path_.c_str(), &info) != 0) {
        continue;
      }
      if (S_ISLNK(info.st_mode) && ::stat(path_.c_str(), &info) != 0) {
        info.st_mode = 0;  // dangling: it exists, but is not a file
      }
      file_ = {info.st_dev, info.st_ino};
      verdict_ = judge(path_, info);
      return true;
    }
    return false;
  }
  bool next_real() {
    while (next()) {
      if (verdict_ == Verdict::Real) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] FileId file() const noexcept { return file_; }
  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }

 private:
  /// Puts the file's path below `entry` into path_; false when the entry names no directory.
  bool enter(std::string_view entry) {
    path_.clear();
    if (!entry.starts_with('/')) {
      if (!below_current_directory()) {
        return false;
      }
      path_.append(*current_);
      if (!entry.empty() && !path_.ends_with('/')) {
        path_.push_back('/');
      }
    }
    path_.append(entry);
    if (!path_.ends_with('/')) {
      path_.push_back('/');
    }
    path_.append(name_);
    return true;
  }
  bool below_current_directory() {
    if (!current_) {
      current_ = sys::working_directory();
    }
    return !current_->empty();
  }

  std::string_view name_;
  std::string default_;
  std::string_view rest_;
  bool done_ = false;
  std::string path_;
  FileId file_;
  Verdict verdict_ = Verdict::NotAFile;
  std::optional<std::string> current_;
};

/// Where the search starts.
enum class From { Front, Marked, AfterMarked };

/// What to do about a valid marker, and the rows that the new one continues.
struct Plan {
  From from = From::Front;
  unsigned repeats = 0;
  unsigned depth = 0;
};

Plan plan_for(const Marker& last, const Marker& now, Kin kin, bool restarts) noexcept {
  Plan out;
  const bool same = kin == Kin::Executed || last.digest == now.digest;
  if (now.when - last.when <= kRowSeconds) {
    out.depth = last.depth + 1;
    out.repeats = same ? last.repeats + 1 : 0;
  }
  if (restarts && out.repeats <= kMostRestarts) {
    out.from = From::Marked;
  } else if (same || out.depth >= kRecursionTrusted) {
    out.from = From::AfterMarked;
  }
  return out;
}

/// The file to run, and whether it is the marked one again.
struct Choice {
  std::string path;
  FileId file;
};

std::optional<Choice> choose(const Request& request, From from, const FileId& marked) {
  std::optional<Choice> again;
  std::optional<Choice> front;
  Walk walk{request.name, request.path};
  while (walk.next_real()) {
    Choice choice{walk.path(), walk.file()};
    const bool is_marked = choice.file == marked;
    if (from == From::Front || (from == From::Marked && is_marked) || (again && !is_marked)) {
      return choice;
    }
    std::optional<Choice>& kept = is_marked ? again : front;
    if (!kept) {
      kept = std::move(choice);
    }
  }
  return again ? again : front;  // if the marked file has left PATH: the first one
}

}  // namespace

FileId self_file() noexcept {
  static const FileId self = [] {
    struct stat info {};
    return ::stat("/proc/self/exe", &info) == 0 ? FileId{info.st_dev, info.st_ino} : FileId{};
  }();
  return self;
}

std::vector<Candidate> all_candidates(std::string_view name, const char* path) {
  std::vector<Candidate> out;
  Walk walk{name, path};
  while (walk.next()) {
    out.push_back({walk.path(), walk.file(), walk.verdict()});
  }
  return out;
}

Found find_real(const Request& request) {
  Marker now;
  now.from = sys::self_id();
  now.digest = digest_of(request.args);
  now.when = seconds_after_boot();
  Plan plan;
  const auto last = parse_marker(request.at, request.name);
  if (last) {
    const Kin kin = kin_of(last->from, now.from);
    if (kin != Kin::None) {
      plan = plan_for(*last, now, kin, request.restarts);
    }
  }
  auto choice = choose(request, plan.from, last ? last->file : FileId{});
  if (!choice) {
    return {};
  }
  now.file = choice->file;
  now.repeats = last && choice->file == last->file ? plan.repeats : 0;
  now.depth = plan.depth;
  now.is_lane_call = request.is_lane_call;
  if (now.repeats >= kMostRepeats || now.depth >= kMostDepth) {
    return {Outcome::Loop, std::move(choice->path), {}};
  }
  return {Outcome::Found, std::move(choice->path), format_marker(now, request.name)};
}

}  // namespace onelane::tool
