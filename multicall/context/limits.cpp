#include "multicall/context/limits.hpp"

#include <algorithm>
#include <iterator>

#include "core/settings/schema.hpp"
#include "core/sys/memory.hpp"

namespace onelane::multicall {
namespace {

using guard::LimitRow;
using guard::Unit;

/// True if `setting` holds the figure of the limit: `memory_limit_mb` for MEMORY_LIMIT_MB.
bool is_of(const LimitRow& row, std::string_view setting) {
  return std::ranges::equal(row.name, setting, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

const settings::Field* field_of(const LimitRow& row) {
  const auto fields = settings::all_fields();
  const auto found = std::ranges::find_if(
      fields, [&](const settings::Field& field) { return is_of(row, field.name); });
  return found == fields.end() ? nullptr : &*found;
}

/// The figure of a limit; a built-in share of the machine's memory is reduced to fit into the
/// container that this process runs in.
std::uint64_t fitting(const LimitRow& row, const settings::Figure& figure) {
  const bool is_cut = figure.source.origin == settings::Origin::BuiltIn && row.most_percent != 0;
  const std::uint64_t total = is_cut ? sys::machine_memory().total : 0;
  return total == 0 ? figure.value : std::min(figure.value, total * row.most_percent / 100);
}

}  // namespace

const LimitRow* limit_named(std::string_view name) {
  const auto rows = guard::limit_rows();
  const auto found =
      std::ranges::find_if(rows, [name](const LimitRow& row) { return is_of(row, name); });
  return found == rows.end() ? nullptr : &*found;
}

guard::Limits limits_of(const settings::Settings& settings, bool has_time_limits) {
  guard::Limits limits;
  limits.check_interval = settings.check_interval.value;
  for (const LimitRow& row : guard::limit_rows()) {
    if (row.unit == Unit::Milliseconds && !has_time_limits) {
      continue;
    }
    const settings::Figure figure = settings::figure_of(settings, *field_of(row));
    limits[row.reason] = {fitting(row, figure), settings::place_of(figure.source),
                          figure.source.key};
  }
  limits[sys::Reason::Idle].ends = settings.idle_action.value == settings::IdleAction::Kill;
  return limits;
}

std::vector<settings::Row> limits_in_force(const settings::Settings& settings) {
  constexpr std::string_view kBeforeAStart[] = {"min_free_memory_mb", "max_load",
                                                "max_memory_pressure"};
  const guard::Limits limits = limits_of(settings, /*has_time_limits=*/true);
  std::vector<settings::Row> rows;
  for (settings::Row& row : settings::describe(settings)) {
    const LimitRow* limit = limit_named(row.name);
    if (limit == nullptr && std::ranges::find(kBeforeAStart, row.name) == std::end(kBeforeAStart)) {
      continue;
    }
    if (limit != nullptr && limit->unit == Unit::Bytes) {
      row.value = std::to_string(limits[limit->reason].value >> 20U);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace onelane::multicall
