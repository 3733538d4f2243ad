#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

using Words = std::vector<std::string>;

struct Step {
  Words words;
  bool background = false;  ///< Followed by a single `&`: the script does not wait for it.
};

constexpr int kDepth = 4;  // Bounds scripts that call scripts.

// Servers and watchers, whatever their arguments are.
constexpr auto kAlways = std::to_array<std::string_view>(
    {"browser-sync", "chokidar", "http-server", "json-server", "lite-server", "live-server",
     "nodemon", "onchange", "start-storybook", "supervisor", "ts-node-dev", "tsnd", "watchexec",
     "webpack-dev-server"});

struct Program {
  std::string_view name;
  std::string_view verbs;  ///< First words that start a server, between spaces; a leading double
                           ///< space: also without a word.
};

constexpr auto kPrograms = std::to_array<Program>({
    {"vite", "  dev serve preview "},
    {"next", " dev start "},
    {"nuxt", " dev start preview "},
    {"nuxi", " dev preview "},
    {"astro", " dev preview "},
    {"remix", " dev vite:dev "},
    {"react-router", " dev "},
    {"react-scripts", " start "},
    {"ng", " serve s "},
    {"vue-cli-service", " serve "},
    {"gatsby", " develop serve "},
    {"webpack", " serve watch "},
    {"parcel", " serve watch "},
    {"storybook", " dev "},
    {"expo", " start "},
    {"nest", " start "},
    {"wrangler", " dev "},
    {"docusaurus", " start serve "},
    {"vitepress", "  dev preview "},
    {"eleventy", " --serve --watch "},
    {"tsx", " watch "},
    {"serve", "  . "},
});

/// The commands in a script's text, split at the shell's operators; quotes keep words together.
std::vector<Step> commands_of(std::string_view text) {
  std::vector<Step> commands(1);
  std::string word;
  bool in_word = false;
  char quote = '\0';
  const auto end_word = [&] {
    if (in_word) {
      commands.back().words.push_back(std::exchange(word, {}));
    }
    in_word = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      end_word();
    } else if (quote == '\0' && (c == '&' || c == '|' || c == ';' || c == '(' || c == ')')) {
      end_word();
      const bool doubled = i + 1 < text.size() && text[i + 1] == c;
      commands.back().background = c == '&' && !doubled;
      commands.emplace_back();
      i += doubled ? 1U : 0U;
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
      in_word = true;
    } else {
      const bool escaped = c == '\\' && quote != '\'' && i + 1 < text.size();
      word.push_back(escaped ? text[++i] : c);
      in_word = true;
    }
  }
  end_word();
  return commands;
}

bool is_assignment(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 && !word.starts_with('-') &&
         word.find('/') > equals;
}

/// The arguments from the program on, after assignments and launchers such as `npx`.
Args behind_launchers(Args words) {
  while (!words.empty()) {
    const std::string_view name = base_name(words.front());
    const bool launcher = one_of(name, {"bunx", "cross-env", "cross-env-shell", "dotenv", "env",
                                        "exec", "npx", "time"}) ||
                          words.front().starts_with('-') || is_assignment(words.front());
    const bool manager = one_of(name, {"npm", "pnpm", "yarn"}) && words.size() > 1 &&
                         one_of(words[1], {"dlx", "exec", "x"});
    if (!launcher && !manager) {
      break;
    }
    words = words.subspan(manager ? 2 : 1);
  }
  return words;
}

bool watches(std::string_view text, const Facts& facts, int depth);

bool script_watches(std::string_view name, const Facts& facts, int depth) {
  const auto text = facts.npm_script(name);
  return text && depth < kDepth && watches(*text, facts, depth + 1);
}

/// For `npm run x`, `yarn x`, `pnpm x`: checks the text of the script they run.
bool manager_watches(std::string_view name, Args args, const Facts& facts, int depth) {
  const Options options{args, {.abbreviations = false}};
  const std::string_view first = options.operand(0);
  if (first == "run" || first == "run-script") {
    return script_watches(options.operand(1), facts, depth);
  }
  const bool own_verb = one_of(first, {"start", "test", "t"});
  return (own_verb || name != "npm") && script_watches(first == "t" ? "test" : first, facts, depth);
}

/// For `concurrently "npm:watch-*" "tsc -w"`, `run-p dev css`: one watcher is enough.
bool group_watches(Args args, const Facts& facts, int depth) {
  return std::ranges::any_of(args, [&](std::string_view word) {
    if (word.starts_with('-')) {
      return false;
    }
    const std::string_view script = word.starts_with("npm:") ? word.substr(4) : word;
    if (script.find('*') != std::string_view::npos) {
      return script.starts_with("dev") || script.starts_with("start") ||
             script.starts_with("watch") || script.starts_with("serve");
    }
    return script_watches(script, facts, depth) ||
           (depth < kDepth && watches(word, facts, depth + 1));
  });
}

bool has_watch_flag(std::string_view program, Args args) {
  const bool short_flag = one_of(program, {"ava", "babel", "mocha", "postcss", "rollup", "sass",
                                           "swc", "tailwindcss", "tsc", "vite", "webpack"});
  return std::ranges::any_of(args, [&](std::string_view word) {
    return one_of(word, {"--watch", "--watchAll", "--watch=true", "--serve"}) ||
           word.starts_with("--watch-path") || (short_flag && one_of(word, {"-w"}));
  });
}

bool serves(std::string_view program, Args args) {
  if (std::ranges::find(kAlways, program) != kAlways.end()) {
    return true;
  }
  const auto* known = std::ranges::find(kPrograms, program, &Program::name);
  if (known == kPrograms.end()) {
    return false;
  }
  const std::string first{args.empty() || args.front().starts_with('-') ? std::string_view{}
                                                                        : args.front()};
  return known->verbs.find(" " + first + " ") != std::string_view::npos;
}

bool command_watches(Args words, const Facts& facts, int depth) {
  const Args command = behind_launchers(words);
  if (command.empty()) {
    return false;
  }
  const std::string_view program = base_name(command.front());
  const Args args = command.subspan(1);
  if (std::ranges::any_of(args, [](std::string_view word) {
        return one_of(word, {"--help", "--version"});
      })) {
    return false;
  }
  if (program == "vitest") {
    return classify_vitest(args, facts).cls == Class::Service;
  }
  if (one_of(program, {"npm", "pnpm", "yarn", "bun"})) {
    return manager_watches(program, args, facts, depth);
  }
  if (one_of(program, {"concurrently", "conc", "npm-run-all", "npm-run-all2", "run-p", "run-s"})) {
    return group_watches(args, facts, depth);
  }
  return serves(program, args) || has_watch_flag(program, args);
}

bool watches(std::string_view text, const Facts& facts, int depth) {
  const auto commands = commands_of(text);
  return std::ranges::any_of(commands, [&](const Step& command) {
    const std::vector<std::string_view> words{command.words.begin(), command.words.end()};
    return !command.background && command_watches(words, facts, depth);
  });
}

}  // namespace

bool is_watcher(std::string_view script, const Facts& facts) {
  return watches(script, facts, 0);
}

}  // namespace onelane::shims
