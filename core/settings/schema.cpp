#include "core/settings/schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/settings/values.hpp"

namespace onelane::settings {
namespace {

using namespace std::chrono_literals;

using Text = std::optional<std::string>;

constexpr auto kFields = std::to_array<Field>({
    {"memory_limit_mb", &Settings::memory_limit_mb, Form::Megabytes, true},
    {"tree_memory_limit_mb", &Settings::tree_memory_limit_mb, Form::Megabytes},
    {"max_processes", &Settings::max_processes, Form::Count, true},
    {"check_interval", &Settings::check_interval, Form::Plain, true},
    {"timeout", &Settings::timeout, Form::Plain, true},
    {"idle_timeout", &Settings::idle_timeout},
    {"kill_timeout", &Settings::kill_timeout, Form::Plain, true},
    {"linger", &Settings::linger},
    {"queue_timeout", &Settings::queue_timeout},
    {"git_lock_wait", &Settings::git_lock_wait},
    {"ns_wait", &Settings::ns_wait},
    {"pipeline_timeout", &Settings::pipeline_timeout, Form::Plain, true},
    {"project_sequential_mode", &Settings::sequential, Form::Plain, true},
    {"verbose", &Settings::verbose, Form::Plain, true},
    {"quiet", &Settings::quiet},
    {"on_error", &Settings::on_error},
    {"on_deadlock", &Settings::on_deadlock},
    {"wait", &Settings::wait},
    {"priority", &Settings::priority},
    {"scope", &Settings::scope},
    {"lanes", &Settings::lanes, Form::Choice},
    {"log_dir", &Settings::log_dir, Form::Path, true},
    {"sequential_lock_base_dir", &Settings::lock_base_dir, Form::Path, true, Allowed::ProjectFiles},
    {"keep", &Settings::keep, Form::List},
});

std::string rejected(std::string_view text, std::string_view what, std::string_view accepted) {
  return "'" + clean(text) + "' is not " + std::string{what} +
         "; accepted: " + std::string{accepted};
}

template <class T>
Text store(Setting<T>& setting, T value, const Source& source) {
  setting = {std::move(value), source};
  return std::nullopt;
}

/// Sets an enumeration from the word of one of its two values.
template <class T>
Text choose(Setting<T>& setting, std::string_view text, std::array<std::string_view, 2> words,
            const Source& source) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end()) {
    return rejected(text, "a choice", std::string{words[0]} + ", " + std::string{words[1]});
  }
  return store(setting, static_cast<T>(found - words.begin()), source);
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
      : settings_{settings}, field_{field}, text_{trim(text)}, source_{source} {}

  Text operator()(Setting<std::uint64_t> Settings::*member) const {
    const bool count = field_.form == Form::Count;
    const auto value = count ? parse_count(text_) : parse_megabytes(text_);
    if (value) {
      return store(settings_.*member, *value, source_);
    }
    return count ? rejected(text_, "a number", "whole numbers, 0 for no limit")
                 : rejected(text_, "a size", "megabytes (2048), 512M, 2G, 0 for no limit");
  }
  Text operator()(Setting<std::chrono::milliseconds> Settings::*member) const {
    const auto value = parse_duration(text_);
    if (!value) {
      return rejected(text_, "a duration", "seconds (30, 2.5), 500ms, 30s, 10m, 2h");
    }
    if (field_.name == "check_interval" && (*value < 50ms || *value > 1h)) {
      return rejected(text_, "a check interval", "50ms to 1h");
    }
    return store(settings_.*member, *value, source_);
  }
  Text operator()(Setting<bool> Settings::*member) const {
    const auto value = parse_bool(text_);
    return value ? store(settings_.*member, *value, source_)
                 : rejected(text_, "yes or no", "1, 0, true, false, yes, no, on, off");
  }
  Text operator()(Setting<int> Settings::*member) const {
    int value = 0;
    const char* const last = text_.data() + text_.size();
    const auto [end, error] = std::from_chars(text_.data(), last, value);
    if (error != std::errc{} || end != last || value < -100 || value > 100) {
      return rejected(text_, "a priority", "-100 to 100");
    }
    return store(settings_.*member, value, source_);
  }
  Text operator()(Setting<OnError> Settings::*member) const {
    return choose(settings_.*member, text_, {"open", "closed"}, source_);
  }
  Text operator()(Setting<OnDeadlock> Settings::*member) const {
    return choose(settings_.*member, text_, {"fail", "run"}, source_);
  }
  Text operator()(Setting<WaitFor> Settings::*member) const {
    return choose(settings_.*member, text_, {"tool", "all"}, source_);
  }
  Text operator()(Setting<Scope> Settings::*member) const {
    constexpr std::array<std::string_view, 3> kWords{"worktree", "repository", "user"};
    const auto found = std::ranges::find(kWords, text_);
    if (found == kWords.end() && !is_lane_name(text_)) {
      return rejected(text_, "a scope",
                      "worktree, repository, user, or a name of letters, digits, '.', '_', '-'");
    }
    const bool named = found == kWords.end();
    settings_.scope_name = {named ? std::string{text_} : std::string{}, source_};
    return store(settings_.*member,
                 named ? Scope::Named : static_cast<Scope>(found - kWords.begin()), source_);
  }
  Text operator()(Setting<std::string> Settings::*member) const {
    if (field_.form == Form::Choice && text_ != "one" && text_ != "split") {
      return rejected(text_, "a choice", "one, split");
    }
    if (has_control(text_) || text_.size() > 4096) {
      return rejected(text_, "a path", "a directory, relative to the project or absolute");
    }
    return store(settings_.*member, std::string{text_}, source_);
  }
  Text operator()(Setting<std::vector<std::string>> Settings::*) const {
    return apply_list(settings_, field_, split_list(text_), source_);
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
    if (item.empty() || item.size() > 255 || has_control(item)) {
      return rejected(item, "a program's name", "names of 1 to 255 printable characters");
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
  s.kill_timeout.value = 10s;
  s.linger.value = 2s;
  s.queue_timeout.value = 0s;
  s.git_lock_wait.value = 10s;
  s.ns_wait.value = 600s;
  s.pipeline_timeout.value = run ? 86400s : 0s;
  s.sequential.value = true;
  s.wait.value = run ? WaitFor::All : WaitFor::Tool;
  s.lanes.value = "one";
  return s;
}

}  // namespace onelane::settings
