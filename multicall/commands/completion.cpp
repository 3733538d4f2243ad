#include "multicall/commands/completion.hpp"

namespace onelane::multicall {

std::string escaped(std::string_view text, std::string_view letters, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (letters.find(c) != std::string_view::npos) {
      out += before;
    }
    out += c;
  }
  return out;
}

int command_completion(std::span<char*> words) {
  Options app{
      "Print the completion script of a shell: source it, or put it where the shell "
      "looks for such scripts (`cmake --install` does).",
      "onelane completion"};
  std::string shell;
  app.add_option("SHELL", shell, "the shell")->required()->check(one_of({"bash", "fish", "zsh"}));
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, words)) {
    return *code;
  }
  const std::vector<Verb> tree = collect_tree(all_commands());
  print(shell == "bash"  ? bash_completion(tree)
        : shell == "zsh" ? zsh_completion(tree)
                         : fish_completion(tree));
  return 0;
}

}  // namespace onelane::multicall
