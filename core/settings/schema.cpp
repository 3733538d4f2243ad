#include "core/settings/schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include "core/settings/ready.hpp"
#include "core/sys/text.hpp"
#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

using namespace std::chrono_literals;

using Text = std::optional<std::string>;

constexpr auto kFields = std::to_array<Field>({
    {"memory_limit_mb", "memory of any one process: anonymous, shared and swapped",
     &Settings::memory_limit_mb, Form::Megabytes, true},
    {"tree_memory_limit_mb", "memory of all processes of a run together",
     &Settings::tree_memory_limit_mb, Form::Megabytes},
    {"max_processes", "processes of a run", &Settings::max_processes, Form::Count, true},
    {"check_interval", "the longest pause between two looks at a run's processes",
     &Settings::check_interval, Form::Plain, true},
    {"timeout",
     "how long a run may take from its start on, without the time it is stopped; 0 for no limit",
     &Settings::timeout, Form::Plain, true},
    {"idle_timeout",
     "how long a run may go without processor time, input and output in its whole tree; 0 for no "
     "limit",
     &Settings::idle_timeout},
    {"idle_action", "what happens at idle_timeout: a warning, or the end of the run",
     &Settings::idle_action},
    {"kill_timeout", "from TERM to KILL", &Settings::kill_timeout, Form::Plain, true},
    {"linger", "how long what a run leaves behind on its pipes or terminal may live",
     &Settings::linger},
    {"queue_timeout",
     "how long a call waits for its turn before it gives up with 75; 0 for no limit",
     &Settings::queue_timeout},
    {"rejoin",
     "how long a call that is killed while it waits may come back to its place; 0 not at all",
     &Settings::rejoin},
    {"coalesce",
     "calls that take the result of an identical one that started after they had been queued",
     &Settings::coalesce, Form::Calls},
    {"git_lock_wait", "how long a git write waits for a fresh index.lock of another process",
     &Settings::git_lock_wait},
    {"ns_wait", "how long a call waits for a run in another PID namespace", &Settings::ns_wait},
    {"pipeline_timeout", "how long a whole run may take, with what it waits for; 0 for no limit",
     &Settings::pipeline_timeout, Form::Plain, true},
    {"system_reserve_mb", "memory of the machine below which the run that has most is ended",
     &Settings::system_reserve_mb, Form::Megabytes},
    {"min_free_memory_mb", "memory that must be free before a run starts",
     &Settings::min_free_memory_mb, Form::Megabytes, true},
    {"max_load", "load average above which no run starts", &Settings::max_load, Form::Plain, true},
    {"max_memory_pressure", "memory pressure (PSI, percent) above which no run starts",
     &Settings::max_memory_pressure},
    {"admission", "what a run does that may not start: wait, or exit with 75",
     &Settings::admission},
    {"nice", "niceness of the tool; 0: the caller's", &Settings::nice, Form::Plain, false,
     Allowed::Everywhere, 0, 19},
    {"ionice", "input and output priority of the tool", &Settings::ionice},
    {"cpu_affinity", "processors that a run may use; empty: the caller's", &Settings::cpu_affinity,
     Form::CpuList},
    {"cpu_weight", "processor weight of a run's control group; 0 for none", &Settings::cpu_weight,
     Form::Count, false, Allowed::Everywhere, 0, 10'000},
    {"cgroup", "a run gets a control group where one can be had", &Settings::cgroup},
    {"clamp", "how far max_workers reaches: not at all, where the user has set nothing, or always",
     &Settings::clamp},
    {"max_workers", "workers that a tool starts by itself; 0: the tool decides",
     &Settings::max_workers, Form::Count},
    {"pytest_max_workers", "as max_workers, for pytest alone", &Settings::pytest_max_workers,
     Form::Count, true},
    {"project_sequential_mode", "0 switches onelane off in this project", &Settings::sequential,
     Form::Plain, true},
    {"verbose", "1 says for each call what was decided and why", &Settings::verbose, Form::Plain,
     true},
    {"quiet", "1 silences the notices", &Settings::quiet},
    {"on_error", "what happens when onelane itself fails: the tool runs without the lane, or 125",
     &Settings::on_error},
    {"on_deadlock",
     "what a call does that would wait, through others, for itself: give up with 75, or run",
     &Settings::on_deadlock},
    {"wait", "whether a call waits for its tool, or for every descendant of it", &Settings::wait},
    {"priority", "higher goes first; no call is overtaken forever", &Settings::priority,
     Form::Plain, false, Allowed::Everywhere, -100, 100},
    {"scope", "who shares a lane", &Settings::scope},
    {"lanes", "split gives git a lane of its own, beside the one for builds and tests",
     &Settings::lanes, Form::Choice},
    {"log_dir", "where the logs of runs are; empty: logs beside the lane", &Settings::log_dir,
     Form::Path, true},
    {"log_keep_days", "days that the logs of runs stay", &Settings::log_keep_days, Form::Count},
    {"log_max_mb", "megabytes that the logs of runs may take together", &Settings::log_max_mb,
     Form::Megabytes},
    {"sequential_lock_base_dir", "where the lane's files are; empty: in the git directory",
     &Settings::lock_base_dir, Form::Path, true, Allowed::ProjectFiles},
    {"keep", "further programs that may live on after the run that started them", &Settings::keep,
     Form::List},
    {"release_on_ready",
     "calls that give the lane back once a port listens or a line of output has a text, and go on "
     "as services",
     &Settings::release_on_ready, Form::ReadyRules},
});

/// What a field accepts, by the type of its member.
struct Accepted {
  const Field& field;

  std::string operator()(Setting<std::uint64_t> Settings::*) const {
    if (field.most < (std::int64_t{1} << 40)) {
      return "0 to " + std::to_string(field.most);
    }
    return field.form == Form::Count ? "whole numbers, 0 for no limit"
                                     : "megabytes (2048), 512M, 2G, 0 for no limit";
  }
  std::string operator()(Setting<std::chrono::milliseconds> Settings::*) const {
    return field.name == "check_interval" ? "50ms to 1h" : "seconds (30, 2.5), 500ms, 30s, 10m, 2h";
  }
  std::string operator()(Setting<bool> Settings::*) const {
    return "1, 0, true, false, yes, no, on, off";
  }
  std::string operator()(Setting<int> Settings::*) const {
    return std::to_string(field.least) + " to " + std::to_string(field.most);
  }
  std::string operator()(Setting<double> Settings::*) const {
    return "numbers such as 8 or 2.5, 0 for no limit";
  }
  template <class Enumeration>
  requires std::is_enum_v<Enumeration> std::string operator()(
      Setting<Enumeration> Settings::*) const {
    std::string words;
    for (const std::string_view word : kWords<Enumeration>) {
      words += (words.empty() ? "" : ", ") + std::string{word};
    }
    return words;
  }
  std::string operator()(Setting<Scope> Settings::*) const {
    return "worktree, repository, user, or a name of letters, digits, '.', '_', '-'";
  }
  std::string operator()(Setting<std::string> Settings::*) const {
    return field.form == Form::Choice    ? "one, split"
           : field.form == Form::CpuList ? "0-3,8"
                                         : "a directory, relative to the project or absolute";
  }
  std::string operator()(Setting<std::vector<std::string>> Settings::*) const {
    return field.form == Form::Calls
               ? "TOOL or TOOL:FIRST-ARGUMENT, such as pytest, make:test, npm:test-* "
                 "(`*` stands for any text behind the colon)"
           : field.form == Form::ReadyRules
               ? "TOOL[:FIRST-ARGUMENT]=PORT or =TEXT, such as make:serve=3000, npm:start=ready in"
               : "names of 1 to 255 printable characters";
  }
};

std::string rejected(std::string_view text, std::string_view what, const Field& field) {
  return "'" + sys::clean(text) + "' is not " + std::string{what} +
         "; accepted: " + accepted(field);
}

template <class T>
Text store(Setting<T>& setting, T value, const Source& source) {
  setting = {std::move(value), source};
  return std::nullopt;
}

/// Sets an enumeration from one of its words.
template <class T>
Text choose(Setting<T>& setting, const Field& field, std::string_view text, const Source& source) {
  const auto found = std::ranges::find(kWords<T>, text);
  if (found == kWords<T>.end()) {
    return rejected(text, "a choice", field);
  }
  return store(setting, static_cast<T>(found - kWords<T>.begin()), source);
}

/// A lane's name becomes part of a path.
bool is_lane_name(std::string_view text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !text.empty() && text.size() <= 64 && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// One overload per member type: returns what is wrong with `text`, or sets the field and returns
/// nullopt.
class Apply {
 public:
  Apply(Settings& settings, const Field& field, std::string_view text, const Source& source)
      : settings_{settings}, field_{field}, text_{sys::trim(text)}, source_{source} {}

  Text operator()(Setting<std::uint64_t> Settings::*member) const {
    const bool count = field_.form == Form::Count;
    const auto value = count ? sys::parse_count(text_) : sys::parse_megabytes(text_);
    if (value && *value <= static_cast<std::uint64_t>(field_.most)) {
      return store(settings_.*member, *value, source_);
    }
    return rejected(text_, value ? "in range" : count ? "a number" : "a size", field_);
  }
  Text operator()(Setting<std::chrono::milliseconds> Settings::*member) const {
    const auto value = sys::parse_duration(text_);
    if (!value) {
      return rejected(text_, "a duration", field_);
    }
    if (field_.name == "check_interval" && (*value < 50ms || *value > 1h)) {
      return rejected(text_, "a check interval", field_);
    }
    return store(settings_.*member, *value, source_);
  }
  Text operator()(Setting<bool> Settings::*member) const {
    const auto value = sys::parse_bool(text_);
    return value ? store(settings_.*member, *value, source_) : rejected(text_, "yes or no", field_);
  }
  Text operator()(Setting<int> Settings::*member) const {
    int value = 0;
    const char* const last = text_.data() + text_.size();
    const auto [end, error] = std::from_chars(text_.data(), last, value);
    if (error != std::errc{} || end != last || value < field_.least || value > field_.most) {
      return rejected(text_, field_.name == "priority" ? "a priority" : "in range", field_);
    }
    return store(settings_.*member, value, source_);
  }
  Text operator()(Setting<double> Settings::*member) const {
    const auto value = sys::parse_decimal(text_);
    return value ? store(settings_.*member, *value, source_) : rejected(text_, "a number", field_);
  }
  template <class Enumeration>
  requires std::is_enum_v<Enumeration> Text
  operator()(Setting<Enumeration> Settings::*member) const {
    return choose(settings_.*member, field_, text_, source_);
  }
  Text operator()(Setting<Scope> Settings::*member) const {
    constexpr std::array<std::string_view, 3> kWords{"worktree", "repository", "user"};
    const auto found = std::ranges::find(kWords, text_);
    if (found == kWords.end() && !is_lane_name(text_)) {
      return rejected(text_, "a scope", field_);
    }
    const bool named = found == kWords.end();
    settings_.scope_name = {named ? std::string{text_} : std::string{}, source_};
    return store(settings_.*member,
                 named ? Scope::Named : static_cast<Scope>(found - kWords.begin()), source_);
  }
  Text operator()(Setting<std::string> Settings::*member) const {
    if (field_.form == Form::Choice && text_ != "one" && text_ != "split") {
      return rejected(text_, "a choice", field_);
    }
    if (field_.form == Form::CpuList && !text_.empty() && !sys::parse_cpu_list(text_)) {
      return rejected(text_, "a list of processors", field_);
    }
    if (sys::has_control(text_) || text_.size() > 4096) {
      return rejected(text_, "a path", field_);
    }
    return store(settings_.*member, std::string{text_}, source_);
  }
  Text operator()(Setting<std::vector<std::string>> Settings::*) const {
    return apply_list(settings_, field_, sys::split_list(text_), source_);
  }

 private:
  Settings& settings_;
  const Field& field_;
  std::string_view text_;
  const Source& source_;
};

}  // namespace

std::span<const Field> all_fields() {
  return kFields;
}

const Field* find_field(std::string_view name) {
  const auto found = std::ranges::find(kFields, name, &Field::name);
  return found == kFields.end() ? nullptr : &*found;
}

std::string accepted(const Field& field) {
  return std::visit(Accepted{field}, field.member);
}

std::string upper_name(std::string_view name) {
  std::string upper{name};
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

Text apply_text(Settings& settings, const Field& field, std::string_view text,
                const Source& source) {
  return std::visit(Apply{settings, field, text, source}, field.member);
}

Text apply_list(Settings& settings, const Field& field, std::vector<std::string> items,
                const Source& source) {
  const auto* member = std::get_if<Setting<std::vector<std::string>> Settings::*>(&field.member);
  if (member == nullptr) {
    return "a list does not fit here; accepted: one value";
  }
  for (const auto& item : items) {
    if (field.form == Form::ReadyRules && !parse_ready_rule(item)) {
      return rejected(item, "a call and when it is ready", field);
    }
    if (item.empty() || item.size() > 255 || sys::has_control(item)) {
      return rejected(item, field.form == Form::Calls ? "a call" : "a program's name", field);
    }
    const std::string_view tool = std::string_view{item}.substr(0, item.find(':'));
    if (field.form == Form::Calls && (!is_tool_name(tool) || item.ends_with(':'))) {
      return rejected(item, "a call", field);
    }
  }
  return store(settings.**member, std::move(items), source);
}

Figure figure_of(const Settings& settings, const Field& field) {
  return std::visit(
      [&](auto member) -> Figure {
        const auto& setting = settings.*member;
        if constexpr (std::is_same_v<decltype(setting.value), std::uint64_t>) {
          const unsigned shift = field.form == Form::Megabytes ? 20 : 0;
          return {setting.value << shift, setting.source};
        } else if constexpr (std::is_same_v<decltype(setting.value), std::chrono::milliseconds>) {
          return {static_cast<std::uint64_t>(setting.value.count()), setting.source};
        } else {
          return {0, setting.source};
        }
      },
      field.member);
}

Settings built_in(Audience audience, std::uint64_t total_memory_mb) {
  const bool run = audience == Audience::Run;
  Settings s;
  s.memory_limit_mb.value = run ? 2048 : std::max<std::uint64_t>(2048, total_memory_mb / 4);
  s.tree_memory_limit_mb.value = total_memory_mb * 4 / 5;
  s.max_processes.value = 512;
  s.check_interval.value = 5s;
  s.timeout.value = run ? 1800s : 0s;
  s.idle_timeout.value = 0s;
  s.system_reserve_mb.value = total_memory_mb * 3 / 100;
  s.cgroup.value = true;
  s.clamp.value = Clamp::Soft;
  s.log_keep_days.value = 14;
  s.log_max_mb.value = 256;
  s.kill_timeout.value = 10s;
  s.linger.value = 2s;
  s.queue_timeout.value = 0s;
  s.rejoin.value = 120s;
  s.git_lock_wait.value = 10s;
  s.ns_wait.value = 600s;
  s.pipeline_timeout.value = run ? 86400s : 0s;
  s.sequential.value = true;
  s.wait.value = run ? WaitFor::All : WaitFor::Tool;
  s.lanes.value = "one";
  return s;
}

bool is_tool_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace onelane::settings
