#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace onelane::settings {

/// The layers, lowest first: a later one wins.
enum class Origin { BuiltIn, User, Project, DotEnv, Environment, CommandLine };

/// Where a value came from.
struct Source {
  Origin origin = Origin::BuiltIn;
  std::string file;  ///< Path; empty for a built-in value, the environment, the command line.
  int line = 0;      ///< From 1; 0 for a source without lines.
  std::string key;   ///< As written there, unprintable bytes as '?'; empty for a built-in value.
};

template <class T>
struct Setting {
  T value{};
  Source source;
};

enum class OnError { Open, Closed };  ///< onelane cannot work: run the tool, or refuse with 125.
enum class OnDeadlock { Fail, Run };
enum class WaitFor { Tool, All };  ///< Shim waits for its tool, or for every descendant.
enum class IdleAction { Warn, Kill };
enum class Admission { Wait, Refuse };  ///< The machine is too busy: wait, or exit with 75.
enum class Clamp { Off, Soft, Hard };   ///< How far MAX_WORKERS reaches into a tool's own choice.
enum class IoNice { None, Low, Idle };  ///< Low is best-effort at its lowest level.
enum class Scope { Worktree, Repository, User, Named };
/// Who uses the settings. Run = `onelane run`, seq, safe-run: the seeds' bare names count in the
/// environment, and the seeds' figures are built in.
enum class Audience { Shim, Run };

/// One `[tools.NAME]`.
struct ToolSettings {
  std::vector<std::string> pass;
  std::vector<std::string> service;
  std::string fallback_class = "lane";  ///< "lane", "pass", "service" or "editor".
  std::string real;      ///< Absolute path of the real tool; empty: look it up on PATH.
  bool trusted = false;  ///< Every value in it is the user's own or was trusted.
  Source source;         ///< The highest layer that sets something for the tool.
};

struct Settings {
  Setting<std::uint64_t> memory_limit_mb;             ///< Per process; 0 = none.
  Setting<std::uint64_t> tree_memory_limit_mb;        ///< Per run; 0 = none.
  Setting<std::uint64_t> max_processes;               ///< Per run; 0 = no limit.
  Setting<std::chrono::milliseconds> check_interval;  ///< Longest guard tick, 50 ms or more.
  Setting<std::chrono::milliseconds> timeout;         ///< 0 = none.
  Setting<std::chrono::milliseconds> idle_timeout;    ///< 0 = none.
  Setting<IdleAction> idle_action;
  Setting<std::chrono::milliseconds> kill_timeout;   ///< From TERM to KILL.
  Setting<std::chrono::milliseconds> linger;         ///< From the tool's end to TERM.
  Setting<std::chrono::milliseconds> queue_timeout;  ///< From the tool's end to TERM.
  Setting<std::chrono::milliseconds> rejoin;         ///< 0 = killed calls keep no place.
  Setting<std::chrono::milliseconds> git_lock_wait;
  Setting<std::chrono::milliseconds> ns_wait;
  Setting<std::chrono::milliseconds> pipeline_timeout;  ///< 0 = none.
  Setting<std::uint64_t> system_reserve_mb;   ///< On the machine, for other programs; 0 = none.
  Setting<std::uint64_t> min_free_memory_mb;  ///< Before a grant; 0 = any.
  Setting<double> max_load;                   ///< Before a grant; 0 = any.
  Setting<double> max_memory_pressure;        ///< Before a grant, percent (PSI); 0 = any.
  Setting<Admission> admission;
  Setting<int> nice;  ///< 0 to 19; 0 = like the caller.
  Setting<IoNice> ionice;
  Setting<std::string> cpu_affinity;  ///< `0-3,8`; empty = like the caller.
  Setting<std::uint64_t> cpu_weight;  ///< 1 to 10000, if a control group allows it; 0 = none.
  Setting<bool> cgroup;               ///< Use control groups if available.
  Setting<Clamp> clamp;
  Setting<std::uint64_t> max_workers;         ///< 0 = the tool's own choice.
  Setting<std::uint64_t> pytest_max_workers;  ///< Like max_workers, for pytest alone.
  Setting<bool> verbose;
  Setting<bool> quiet;
  Setting<bool> sequential;  ///< PROJECT_SEQUENTIAL_MODE; false switches the project off.
  Setting<OnError> on_error;
  Setting<OnDeadlock> on_deadlock;
  Setting<WaitFor> wait;
  Setting<int> priority;  ///< -100 to 100, higher first.
  Setting<Scope> scope;
  /// With Scope::Named: letters, digits and ._- only, never a path.
  Setting<std::string> scope_name;
  Setting<std::string> log_dir;  ///< Absolute when the root is known; empty = `<state>/logs`.
  Setting<std::uint64_t> log_keep_days;
  Setting<std::uint64_t> log_max_mb;  ///< Of all run logs together.
  /// SEQUENTIAL_LOCK_BASE_DIR, from project files only; absolute; empty = the git dir.
  Setting<std::string> lock_base_dir;
  Setting<std::string> lanes;                  ///< "one" or "split".
  Setting<std::vector<std::string>> coalesce;  ///< TOOL or TOOL:FIRST-ARGUMENT, `*` in the latter.
  Setting<std::vector<std::string>> keep;      ///< Extends the shims' list of what may live on.
  Setting<std::vector<std::string>> release_on_ready;  ///< See ready.hpp.
  std::map<std::string, ToolSettings> tools;
};

/// One line for the user. Safe for a terminal: text from a file is cleaned and cut.
struct Problem {
  Source where;
  std::string text;  ///< What is wrong, and what is accepted.
};

struct Loaded {
  Settings settings;
  std::vector<Problem> problems;  ///< In the order of the layers.
};

/// getenv(3) or a stand-in: nullptr when unset.
using Environment = std::function<const char*(const char*)>;

struct Request {
  std::string root;  ///< Absolute path of the project; empty: no project files are read.
  Audience audience = Audience::Shim;
  std::string home;  ///< $HOME; empty: no user file unless XDG_CONFIG_HOME names one.
  Environment environment;
  /// Name and value. `memory-limit-mb`, `--memory_limit_mb` and `memory_limit_mb` are the same
  /// name, and so is `--memory`. A Source shows it as written here.
  std::vector<std::pair<std::string, std::string>> command_line;
  std::uint64_t total_memory_mb = 0;  ///< Of the machine; 0 = unknown.
  /// True for a tool with a built-in policy, which only a trusted file may loosen; null: every
  /// tool.
  bool (*has_policy)(std::string_view tool) = nullptr;
};

/// Merges all layers. Never throws for bad content and never runs anything: a bad value, an
/// unreadable file or an entry that needs trust becomes a Problem, and the lower layer's value
/// stays. A missing file costs one open(2) and no parser. Throws SystemError when no descriptor is
/// left to read with.
[[nodiscard]] Loaded load(const Request& request);

/// One line of `onelane settings`. Safe for a terminal.
struct Row {
  std::string name;    ///< Name in onelane.toml.
  std::string value;   ///< In the syntax of onelane.toml.
  std::string source;  ///< `built-in`, `/p/onelane.toml:3`, `environment (ONELANE_TIMEOUT)`.
};
[[nodiscard]] std::vector<Row> describe(const Settings& settings);

/// Where `source` is, in the format of Row::source.
[[nodiscard]] std::string place_of(const Source& source);

/// One line: place, key and text, `/p/onelane.toml:3: timeout: 'soon' is not a duration; …`.
[[nodiscard]] std::string describe(const Problem& problem);

}  // namespace onelane::settings
