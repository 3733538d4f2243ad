#include "multicall/context/keep.hpp"

#include <algorithm>

#include "shims/tables.hpp"

namespace onelane::multicall {

process::KeepList keep_list_of(const settings::Settings& settings) {
  return [more = settings.keep.value](std::string_view name,
                                      std::span<const std::string_view> arguments) {
    const auto keeps = [&](const shims::KeepRule& rule) {
      return shims::keeps(rule, name, arguments);
    };
    return std::ranges::any_of(shims::keep_list(), keeps) ||
           std::ranges::any_of(more, [&](const std::string& pattern) {
             return keeps({pattern, {}, {}});
           });
  };
}

}  // namespace onelane::multicall
