#include <exception>
#include <string>

#include "multicall/context/call.hpp"
#include "multicall/job/job.hpp"
#include "multicall/shim/run_call.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/table.hpp"

// One executable with many names: called by the name of a tool it is that tool's shim, called by
// its own name it is the administration command.
int main(int argc, char** argv) {
  using namespace onelane::multicall;
  try {
    const Call call = make_call(argc, argv);
    if (call.name.empty() || call.name == "onelane") {
      return run_command(argc, argv);
    }
    return is_command_name(call.name) ? run_sequential(call) : run_call(call, &additions_for_call);
  } catch (const std::exception& failure) {
    say_always(failure.what());
    return kExitFailed;
  }
}
