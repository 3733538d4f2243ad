#include "shims/shim.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

constexpr auto kShims = std::to_array<Shim>({
    {"git", &classify_git, &target_git},
    {"make", &classify_make, &target_make},
    {"npm", &classify_npm, &target_npm},
    {"pytest", &classify_pytest, &target_pytest},
    {"vitest", &classify_vitest, &target_vitest},
});
static_assert(std::ranges::is_sorted(kShims, {}, &Shim::name));

std::string_view first_operand(Args args) {
  const auto found = std::ranges::find_if(
      args, [](std::string_view word) { return !word.empty() && !word.starts_with('-'); });
  return found == args.end() ? std::string_view{} : *found;
}

bool lists(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return glob_matches(pattern, name); });
}

/// The class that the lists give to all of `names` together; nullopt when a name is not listed.
std::optional<Class> listed_class(const std::vector<std::string_view>& names,
                                  const ToolLists& known) {
  bool serves = false;
  for (const std::string_view name : names) {
    if (lists(known.pass, name)) {
      continue;
    }
    if (!lists(known.service, name)) {
      return std::nullopt;
    }
    serves = true;
  }
  if (names.empty()) {
    return std::nullopt;
  }
  return serves ? Class::Service : Class::Pass;
}

std::string_view listed_reason(Class cls) {
  return cls == Class::Service ? "the project names it as a service" : "the project lets it pass";
}

/// The names by which the lists identify a call.
std::vector<std::string_view> names_of(std::string_view tool, Args args) {
  if (tool == "make") {
    return make_goals_of(args);
  }
  const std::string_view name = tool == "git"   ? git_command_of(args)
                                : tool == "npm" ? npm_name_of(args)
                                                : first_operand(args);
  return name.empty() ? std::vector<std::string_view>{} : std::vector{name};
}

}  // namespace

const Shim* find_shim(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kShims, name, {}, &Shim::name);
  return found != kShims.end() && found->name == name ? &*found : nullptr;
}

std::span<const Shim> all_shims() {
  return kShims;
}

std::vector<std::string_view> subjects_of(std::string_view tool, Args args) {
  if (tool == "pytest") {
    const Options options{args, pytest_syntax()};
    const std::string_view first = options.operand(0);
    return first.empty() ? std::vector<std::string_view>{} : std::vector{first};
  }
  return names_of(tool, args);
}

bool names_call(const std::vector<std::string>& entries, std::string_view tool, Args args) {
  std::vector<std::string> patterns;
  for (const std::string_view entry : entries) {
    const auto colon = entry.find(':');
    if (entry.substr(0, colon) != tool) {
      continue;
    }
    if (colon == std::string_view::npos) {
      return true;
    }
    patterns.emplace_back(entry.substr(colon + 1));
  }
  const auto subjects =
      patterns.empty() ? std::vector<std::string_view>{} : subjects_of(tool, args);
  return !subjects.empty() &&
         std::ranges::all_of(subjects, [&](auto subject) { return lists(patterns, subject); });
}

Decision classify_listed(Args args, const ToolLists& known) {
  if (args.size() == 1 && one_of(args.front(), {"--help", "--version", "-V", "-h"})) {
    return {.cls = Class::Pass, .reason = "answers about itself", .passes_below_service = true};
  }
  if (const auto cls = listed_class(names_of("", args), known)) {
    return {.cls = *cls, .reason = listed_reason(*cls), .passes_below_service = true};
  }
  return {.cls = known.fallback,
          .reason = "the project's class for what its lists leave out",
          .passes_below_service = true};
}

Decision apply_lists(std::string_view tool, Args args, Decision built_in, const ToolLists& known) {
  if (built_in.cls == Class::Pass) {
    return built_in;
  }
  if (const auto cls = listed_class(names_of(tool, args), known)) {
    built_in.cls = *cls;
    built_in.reason = listed_reason(*cls);
    built_in.writes_index = false;
  }
  return built_in;
}

}  // namespace onelane::shims
