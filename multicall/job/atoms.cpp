#include "multicall/job/atoms.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_set>
#include <utility>

#include "core/sys/text.hpp"
#include "multicall/context/facts.hpp"
#include "multicall/job/atoms_files.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;
using shims::AtomListing;

/// Bytes of file names per command: an argument may have 128 KiB (execve(2), MAX_ARG_STRLEN), and
/// black gets all names in one argument, escaped.
constexpr std::size_t kMostBytes = std::size_t{48} << 10U;

/// Files that share the same kind of command.
struct AtomGroup {
  std::string directory;  ///< Where they were found; empty: the caller named them.
  std::vector<std::string> files;
};

class AtomPlanner {
 public:
  AtomPlanner(const Call& call, const std::string& executable, const AtomWish& wish)
      : call_{call}, executable_{executable}, wish_{wish} {}

  const AtomPlan& read_words() {
    std::vector<std::string_view> words{call_.argv.begin(), call_.argv.end()};
    const ProcessFacts facts{call_};
    read_ = shims::read_atom_call(words, wish_.consent, facts);
    const std::set<std::size_t> files{read_.files.begin(), read_.files.end()};
    for (std::size_t at = 0; at < words.size(); ++at) {
      if (!files.contains(at)) {
        (at < read_.options ? words_before_ : words_after_).emplace_back(words[at]);
      }
    }
    plan_.tool = read_.tool;
    plan_.refusal = read_.refusal;
    plan_.force_helps = read_.force_helps;
    return plan_;
  }

  AtomPlan plan() {
    if (read_words().refusal.empty()) {
      plan_.size = wish_.size == 0 ? read_.tool->batch : wish_.size;
      find_operands();
      find_files();
      ask_settings();
      build();
    }
    if (!plan_.refusal.empty()) {
      plan_.commands.clear();
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const shims::AtomTool& tool() const { return *read_.tool; }
  [[nodiscard]] bool is_refused() const { return !plan_.refusal.empty(); }

  void refuse(std::string why, bool force_helps = false) {
    if (!is_refused()) {
      plan_.refusal = std::move(why);
      plan_.force_helps = force_helps;
    }
  }

  void find_operands() {
    for (const std::size_t at : read_.files) {
      operands_.emplace_back(call_.argv[at]);
    }
    if (operands_.empty()) {
      operands_.emplace_back(tool().whole_operand);
    }
    for (const std::string& operand : operands_) {
      std::error_code error;
      const std::size_t end = tool().on_request ? operand.find("::") : std::string::npos;
      if (!fs::exists(operand.substr(0, end), error)) {
        refuse("`" + sys::printable(operand) + "` is neither a file nor a directory here");
      }
    }
  }

  void find_files() {
    for (const std::string& operand : operands_) {
      std::error_code error;
      if (is_refused()) {
        return;
      }
      if (tool().listing == AtomListing::None || !fs::is_directory(operand, error)) {
        add({}, operand);
        continue;
      }
      const AtomFiles found = list(operand);
      if (!found.failure.empty()) {
        refuse(found.failure);
      } else if (found.names.empty()) {
        add({}, operand);  // the tool reports best itself that there is no file
        empty_ += 1;
      }
      for (const std::string& name : found.names) {
        add(operand, name);
      }
    }
    plan_.is_whole = plan_.files == empty_;
  }

  /// Most names are normal as they are, which std::filesystem would take a microsecond to find.
  static std::string normal(const std::string& name) {
    const bool is_normal = !name.starts_with('.') && name.find("/.") == std::string::npos &&
                           name.find("//") == std::string::npos;
    return is_normal ? name : fs::path{name}.lexically_normal().string();
  }

  /// A file that comes twice counts where it came first, as in the tools.
  void add(const std::string& directory, const std::string& name) {
    if (!seen_.insert(normal(name)).second && !directory.empty()) {
      return;
    }
    const bool goes_on =
        !groups_.empty() && groups_.back().directory.empty() == directory.empty() &&
        (tool().listing != AtomListing::Include || groups_.back().directory == directory);
    if (!goes_on) {
      groups_.push_back({directory, {}});
    }
    groups_.back().files.push_back(name);
    plan_.files += 1;
  }

  AtomFiles list(const std::string& directory) {
    if (tool().listing == AtomListing::Own) {
      std::vector<std::string> question = words_with({std::string{tool().list_flag}});
      std::erase(question, "--");
      question.front() = executable_;
      plan_.listed_by = std::string{tool().name} + " " + std::string{tool().list_flag};
      return atom_files_listed(directory, std::move(question));
    }
    if (tool().since > 0 && !is_new_enough()) {
      return {{},
              std::string{tool().name} + " below version " + std::to_string(tool().since) +
                  " selects files in a directory by its own rules: name the files"};
    }
    plan_.listed_by = "git";
    return atom_files_below(directory, tool());
  }

  bool is_new_enough() {
    if (major_ < 0) {
      std::vector<std::string> question{call_.argv.begin(), call_.argv.begin() + program_end()};
      question.front() = executable_;
      question.emplace_back("--version");
      major_ = atom_major_version(question);
    }
    return major_ >= tool().since;
  }

  [[nodiscard]] std::ptrdiff_t program_end() const {
    return static_cast<std::ptrdiff_t>(read_.program) + 1;
  }

  void ask_settings() {
    if (is_refused() || wish_.consent.force) {
      return;
    }
    std::vector<std::string> starts;
    std::unordered_set<std::string> known;
    const auto add_start = [&](const std::string& start) {
      if (known.insert(start).second) {
        starts.push_back(start);
      }
    };
    for (const AtomGroup& group : groups_) {
      if (tool().listing == AtomListing::Include && !group.directory.empty()) {
        add_start(group.directory);
        continue;
      }
      for (const std::string& file : group.files) {
        const std::string parent = fs::path{file}.parent_path().string();
        add_start(parent.empty() ? "." : parent);
      }
    }
    refuse_if(atom_settings_refusal(tool(), operands_, starts, read_.pins_settings));
  }

  void refuse_if(std::string why) {
    if (!why.empty()) {
      refuse(std::move(why), true);
    }
  }

  /// The caller's arguments without the files, with `added` as the first options.
  [[nodiscard]] std::vector<std::string> words_with(const std::vector<std::string>& added) const {
    std::vector<std::string> out;
    for (const auto* words : {&words_before_, &added, &words_after_}) {
      out.insert(out.end(), words->begin(), words->end());
    }
    return out;
  }

  void build() {
    if (is_refused()) {
      return;
    }
    if (plan_.is_whole) {
      plan_.files = 0;
      plan_.commands = {{call_.argv.begin(), call_.argv.end()}};
      return;
    }
    for (const AtomGroup& group : groups_) {
      std::vector<std::string> batch;
      std::size_t bytes = 0;
      for (const std::string& file : group.files) {
        if (batch.size() == plan_.size || (!batch.empty() && bytes + file.size() > kMostBytes)) {
          add_command(group.directory, std::exchange(batch, {}));
          bytes = 0;
        }
        batch.push_back(file);
        bytes += file.size() + 1;
      }
      add_command(group.directory, batch);
    }
  }

  void add_command(const std::string& directory, const std::vector<std::string>& files) {
    std::vector<std::string> added;
    if (!tool().settings_at.empty() && !read_.pins_settings) {
      added = {std::string{tool().settings_at}, first_directory()};
    }
    const bool includes = tool().listing == AtomListing::Include && !directory.empty();
    if (includes) {
      added.insert(added.end(), {"--include", atom_include_pattern(directory, files)});
    } else if (!directory.empty() && !tool().added.empty()) {
      added.emplace_back(tool().added);
    }
    std::vector<std::string> command = words_with(added);
    for (const std::string& file : includes ? std::vector{directory} : files) {
      // The tool could read the name as an option, a negated pattern or a file of arguments.
      const bool is_odd = !directory.empty() && file.find_first_of("-!@") == 0;
      command.push_back(is_odd ? "./" + file : file);
    }
    plan_.commands.push_back(std::move(command));
  }

  [[nodiscard]] std::string first_directory() const {
    std::error_code error;
    const fs::path first = fs::absolute(operands_.front(), error).lexically_normal();
    return (fs::is_directory(first, error) ? first : first.parent_path()).string();
  }

  const Call& call_;
  const std::string executable_;
  const AtomWish& wish_;
  shims::AtomCall read_;
  AtomPlan plan_;
  std::vector<std::string> operands_;
  std::vector<AtomGroup> groups_;
  std::vector<std::string> words_before_;  ///< Arguments that are no files, before the options.
  std::vector<std::string> words_after_;   ///< Those behind.
  std::unordered_set<std::string> seen_;
  std::size_t empty_ = 0;  ///< Directories without a file.
  int major_ = -1;         ///< Major version of the tool; -1: not asked yet.
};

}  // namespace

AtomPlan read_atoms(const Call& call, const AtomWish& wish) {
  return AtomPlanner{call, {}, wish}.read_words();
}

AtomPlan plan_atoms(const Call& call, const std::string& executable, const AtomWish& wish) {
  return AtomPlanner{call, executable, wish}.plan();
}

}  // namespace onelane::multicall
