#include "multicall/cli/colour.hpp"

namespace onelane::multicall {

void add_colour(Options& app, Paint::When& when) {
  const auto read = [&when](const std::string& word) {
    when = word == "always"  ? Paint::When::Always
           : word == "never" ? Paint::When::Never
                             : Paint::When::Auto;
  };
  app.add_option_function("--color", read, "whether to paint (auto)")
      ->check(one_of({"auto", "always", "never"}));
}

}  // namespace onelane::multicall
