#include "multicall/cli/options.hpp"

#include <algorithm>

#include "core/sys/values.hpp"

namespace onelane::multicall {

Check duration() {
  return must_be("a duration (30, 500ms, 30s, 10m, 2h)",
                 [](const std::string& value) { return sys::parse_duration(value).has_value(); });
}

Check not_empty() {
  return Fault{[](const std::string& value) { return value.empty() ? "is empty" : ""; }};
}

Option* Option::required() {
  is_required = true;
  return this;
}

Option* Option::check(Check check) {
  checks.push_back(std::move(check));
  return this;
}

Option* Option::type_name(std::string name) {
  label = std::move(name);
  return this;
}

Option* Option::delimiter(char letter) {
  separator = letter;
  return this;
}

Option* Option::needs(std::string other) {
  needed.push_back(std::move(other));
  return this;
}

Option* Option::excludes(std::string other) {
  excluded.push_back(std::move(other));
  return this;
}

std::vector<std::string> Option::names() const {
  return is_positional() ? std::vector<std::string>{} : sys::split_list(spec);
}

bool Option::is_flag() const {
  return std::holds_alternative<bool*>(target) || std::holds_alternative<FlagWithValue>(target);
}

bool Option::is_number() const {
  return std::holds_alternative<int*>(target) || std::holds_alternative<std::uint64_t*>(target) ||
         std::holds_alternative<std::vector<std::uint64_t>*>(target) ||
         std::holds_alternative<std::optional<int>*>(target) ||
         std::holds_alternative<std::optional<std::uint64_t>*>(target);
}

bool Option::repeats() const {
  return std::holds_alternative<std::vector<std::string>*>(target) ||
         std::holds_alternative<std::vector<std::uint64_t>*>(target);
}

Options::Options(std::string description, std::string name)
    : description_{std::move(description)}, name_{std::move(name)} {}

Option* Options::add(std::string_view names, Target target, std::string_view description) {
  return &options_.emplace_back(
      Option{std::string{names}, std::move(target), std::string{description}});
}

Option* Options::add_flag(std::string_view names, bool& value, std::string_view description) {
  return add(names, &value, description);
}

Option* Options::add_flag(std::string_view names, std::string& value, std::string implied,
                          std::string_view description) {
  return add(names, FlagWithValue{&value, std::move(implied)}, description);
}

Option* Options::add_option_function(std::string_view names, Take take,
                                     std::string_view description) {
  return add(names, std::move(take), description);
}

Option* Options::find(std::string_view names) {
  const auto found = std::ranges::find(options_, names, &Option::spec);
  return found == options_.end() ? nullptr : &*found;
}

}  // namespace onelane::multicall
