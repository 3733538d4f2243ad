#include "multicall/cli/completion.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"

namespace onelane::multicall {

namespace {

int command_completion(std::span<char*> args) {
  Options app{
      "Print the completion script for a shell: source it, or put it where the shell "
      "looks for such scripts (`cmake --install` does).",
      "onelane completion"};
  std::string shell;
  app.add_option("SHELL", shell, "the shell")->required()->check(one_of({"bash", "fish", "zsh"}));
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const std::vector<Verb> tree = collect_tree(all_commands());
  print(shell == "bash"  ? bash_completion(tree)
        : shell == "zsh" ? zsh_completion(tree)
                         : fish_completion(tree));
  return 0;
}

}  // namespace

constinit const Command verbs::completion{
    "completion", "print the completion script for a shell", &command_completion, {}, Group::SetUp};

}  // namespace onelane::multicall
