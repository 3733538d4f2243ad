#include <exception>
#include <string>

#include "multicall/call.hpp"
#include "multicall/commands/commands.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/run_shim.hpp"
#include "multicall/say.hpp"

// One executable, many names: called as a tool it is that tool's shim, under its own name
// it is the administration command.
int main(int argc, char** argv) {
  using namespace onelane::multicall;
  try {
    const Call call = make_call(argc, argv);
    if (call.name.empty() || call.name == "onelane") {
      return run_command(argc, argv);
    }
    return is_command_name(call.name) ? run_sequential(call) : run_shim(call);
  } catch (const std::exception& failure) {
    say_always(failure.what());
    return kExitFailed;
  }
}
