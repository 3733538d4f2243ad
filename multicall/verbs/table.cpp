#include "multicall/verbs/table.hpp"

#include <algorithm>
#include <array>

#include "multicall/cli/help.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

/// Sorted by name: tests/unit/multicall/verbs/table_test.cpp.
constexpr auto kVerbs = std::to_array<const Command*>({
    &verbs::complete,      &verbs::man,        &verbs::bump,   &verbs::cancel,  &verbs::ci,
    &verbs::ci_path_alias, &verbs::completion, &verbs::doctor, &verbs::explain, &verbs::help,
    &verbs::hold,          &verbs::init,       &verbs::logs,   &verbs::monitor, &verbs::orphans,
    &verbs::queue,         &verbs::release,    &verbs::report, &verbs::run,     &verbs::runs,
    &verbs::settings,      &verbs::stats,      &verbs::status, &verbs::steal,   &verbs::stop,
    &verbs::trust,         &verbs::uninit,     &verbs::wait,   &verbs::which,
});

}  // namespace

std::span<const Command* const> all_commands() noexcept {
  return kVerbs;
}

int run_command(int argc, char** argv) {
  const std::span<char*> args{argv + std::min(argc, 1),
                              static_cast<std::size_t>(std::max(argc - 1, 0))};
  const std::string_view verb =
      args.empty() ? std::string_view{"--help"} : std::string_view{args[0]};
  if (verb == "--version" || verb == "-V" || verb == "version") {
    print("onelane " ONELANE_VERSION "\n");
    return 0;
  }
  if (verb == "--help" || verb == "-h") {
    print(overview_of(kVerbs));
    return 0;
  }
  const Command* command = find_command(kVerbs, verb);
  if (command == nullptr) {
    return refuse_verb(verb, kVerbs);
  }
  return run_verb(*command, args.subspan(1));
}

}  // namespace onelane::multicall
