#include <cstdlib>

#include "multicall/context/real_tool.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

std::string_view words_for(tool::Verdict verdict) {
  switch (verdict) {
    case tool::Verdict::Real:
      return "";
    case tool::Verdict::Self:
      return "this onelane";
    case tool::Verdict::OnelaneCopy:
      return "another onelane";
    case tool::Verdict::NotExecutable:
      return "not executable";
    case tool::Verdict::NotAFile:
      return "not a file";
  }
  return "";
}

int command_which(std::span<char*> args) {
  Options app{"Print the path of the real tool that the shim of that name would run.",
              "onelane which"};
  bool all = false;
  std::string name;
  app.add_flag("-a,--all", all, "list every candidate on PATH, shims included");
  app.add_option("TOOL", name, "name of a tool")->required();
  app.footer(exit_codes({{kExitNotFound, "no real tool of that name on PATH"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  std::string text;
  bool found = false;
  for (const tool::Candidate& candidate : tool::all_candidates(name, std::getenv("PATH"))) {
    const bool real = candidate.verdict == tool::Verdict::Real;
    if (all) {
      text += candidate.path;
      text += real ? "\n" : " (" + std::string{words_for(candidate.verdict)} + ")\n";
    } else if (real && !found) {
      text = candidate.path + "\n";
    }
    found = found || real;
  }
  print(text);
  if (!found) {
    say_always(name + ": no real tool of that name on PATH");
    return kExitNotFound;
  }
  return 0;
}

}  // namespace

constinit const Command verbs::which{
    "which", "print the real tool behind a shim", &command_which, {}, Group::Look};

}  // namespace onelane::multicall
