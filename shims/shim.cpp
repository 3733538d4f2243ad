#include "shims/shim.hpp"

#include <algorithm>
#include <array>

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

}  // namespace

const Shim* find_shim(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kShims, name, {}, &Shim::name);
  return found != kShims.end() && found->name == name ? &*found : nullptr;
}

std::span<const Shim> all_shims() {
  return kShims;
}

}  // namespace onelane::shims
