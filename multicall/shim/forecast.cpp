#include "multicall/shim/forecast.hpp"

#include <algorithm>

#include "core/sys/clock.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

/// How long a run usually takes, and how much of that is left.
struct Run {
  std::optional<milliseconds> usual;
  std::optional<milliseconds> left;  ///< Negative for a run that takes longer.
};

Run run_in(const lane::Table& table, std::size_t slot, std::uint64_t sequence,
           journal::Usual& usual) {
  Run run;
  if (const auto detail = table.detail(slot, sequence)) {
    run.usual = usual.duration_of(detail->command.data());
    const std::chrono::nanoseconds started{detail->started_boottime};
    const auto gone = started.count() > 0 ? sys::boot_time() - started : started;
    if (run.usual) {
      run.left = *run.usual - std::chrono::ceil<milliseconds>(gone);
    }
  }
  return run;
}

}  // namespace

Forecast forecast_of(const lane::Ticket& ticket, journal::Usual& usual) {
  const lane::Table& table = ticket.table();
  const lane::Header header = table.header();
  const auto entries = table.entries(header.high);
  Forecast forecast;
  std::optional<milliseconds> sum = milliseconds{0};
  const auto current = lane::current_slot(entries);
  if (current && *current != ticket.slot()) {
    const Run run = run_in(table, *current, entries[*current].sequence, usual);
    forecast.usual = run.usual;
    forecast.is_overdue = run.left && *run.left < milliseconds{0};
    sum = run.left ? std::optional{std::max(*run.left, milliseconds{0})} : std::nullopt;
  }
  for (const std::size_t slot : lane::waiting_order(entries)) {
    if (slot == ticket.slot() || !sum) {
      break;
    }
    if (table.is_alive(slot)) {
      const auto other = run_in(table, slot, entries[slot].sequence, usual).usual;
      sum = other ? std::optional{*sum + *other} : std::nullopt;
    }
  }
  forecast.eta = header.held != 0 ? std::nullopt : sum;
  return forecast;
}

}  // namespace onelane::multicall
