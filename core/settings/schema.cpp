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

/// One overload a member type: what is wrong with `text`, or nothing and it is set.
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
