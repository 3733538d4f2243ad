#include "shims/atoms.hpp"

#include <algorithm>
#include <array>

#include "shims/args.hpp"
#include "shims/clamp.hpp"

/// Tools for other languages whose result for a file does not depend on the other files of the
/// call, each with the exceptions: taken from their documentation and, with `is_tested`, from their
/// behaviour.

namespace onelane::shims {
namespace {

/// A program that runs the tool: `npx eslint`, `uv run ruff check`.
struct AtomLauncher {
  std::string_view program;
  std::string_view part;
  std::string_view flags;
};

constexpr AtomLauncher kAtomLaunchers[] = {
    {"npx", "", "--no-install --no -y --yes"},
    {"pdm", "run", ""},
    {"pnpm", "exec", ""},
    {"poetry", "run", ""},
    {"python*", "-m", "-B -E -I -s"},
    {"uv", "run", "--frozen --locked --no-sync"},
};

std::string quoted(std::string_view word) {
  return "`" + std::string{word} + "`";
}

/// Index of the tool's word after a launcher; 0 when there is no launcher, or it is used
/// differently.
std::size_t behind_launcher(Args words) {
  const std::string_view program = base_name(words.front());
  for (const AtomLauncher& launcher : kAtomLaunchers) {
    if (!glob_matches(launcher.program, program)) {
      continue;
    }
    std::size_t at = 1;
    bool has_part = launcher.part.empty();
    while (at < words.size()) {
      if (!has_part && words[at] == launcher.part) {
        has_part = true;
      } else if (!atom_listed(launcher.flags, words[at])) {
        break;
      }
      ++at;
    }
    return has_part && at < words.size() ? at : 0;
  }
  return 0;
}

/// Walks the words after the tool's name and stops at the first that rules out a split.
class AtomReader {
 public:
  AtomReader(Args words, const AtomConsent& consent, AtomCall& call)
      : words_{words}, consent_{consent}, call_{call}, tool_{*call.tool} {}

  void read() {
    for (at_ = call_.options; at_ < words_.size() && call_.refusal.empty(); ++at_) {
      const std::string_view word = words_[at_];
      if (ended_ || word.empty() || word.front() != '-') {
        read_operand(word);
      } else if (word == "--") {
        ended_ = true;
      } else if (word == "-") {
        refuse("`-` is standard input, which only one command can read", false);
      } else if (word[1] == '-') {
        read_long(word);
      } else if (tool_.one_dash) {
        dashed_ = "-" + std::string{word};
        read_long(dashed_);
      } else {
        read_bundle(word);
      }
    }
    if (call_.refusal.empty() && !tool_.required.empty() && !has_required_) {
      refuse(std::string{tool_.required_why});
    }
  }

 private:
  struct Meaning {
    bool known = true;
    AtomValue value = AtomValue::None;
    const AtomRefusal* refusal = nullptr;
  };

  void refuse(std::string why, bool force_helps = true) {
    if (force_helps && consent_.force) {
      return;
    }
    call_.refusal = std::move(why);
    call_.force_helps = force_helps;
  }

  void read_operand(std::string_view word) {
    if (leading_ < tool_.leading) {
      ++leading_;
      refuse_words_in(word);
    } else if (tool_.program == "ruff" && word.starts_with('@')) {
      refuse(quoted(word) + " is a file of arguments", false);
    } else {
      if (tool_.on_request && word.find("::") != std::string_view::npos) {
        refuse("`::` picks tests within a file");
      }
      call_.files.push_back(at_);
    }
  }

  /// Refuses a jq program that asks for its other inputs.
  void refuse_words_in(std::string_view program) {
    constexpr std::string_view kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    while (!program.empty()) {
      const std::size_t length = std::min(program.find_first_not_of(kLetters), program.size());
      if (atom_listed(tool_.words, program.substr(0, length))) {
        refuse(quoted(program.substr(0, length)) + " reads or ends the other files of the call");
        return;
      }
      program.remove_prefix(length);
      program.remove_prefix(std::min(program.find_first_of(kLetters), program.size()));
    }
  }

  [[nodiscard]] Meaning meaning_of(std::string_view name) const {
    for (const AtomRefusal& refusal : tool_.refusals) {
      if (atom_listed(refusal.names, name)) {
        return {true, refusal.value, &refusal};
      }
    }
    if (atom_listed(tool_.values, name)) {
      return {true, AtomValue::Next};
    }
    if (atom_listed(tool_.attached, name)) {
      return {true, AtomValue::Attached};
    }
    if (atom_listed(tool_.pairs, name)) {
      return {true, AtomValue::NextTwo};
    }
    return {atom_listed(tool_.flags, name)};
  }

  void read_long(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Meaning meaning = meaning_of(name);
    if (!meaning.known) {
      refuse(
          "what " + quoted(name) + " means for " + std::string{tool_.name} + " is not known here",
          false);
    } else if (equals != std::string_view::npos) {
      take(name, meaning, word.substr(equals + 1));
    } else {
      if (meaning.value == AtomValue::NextTwo) {
        (void)next_word();
      }
      const bool takes_next =
          meaning.value == AtomValue::Next || meaning.value == AtomValue::NextTwo;
      take(name, meaning, takes_next ? next_word() : std::string_view{});
    }
  }

  void read_bundle(std::string_view word) {
    for (std::size_t at = 1; at < word.size() && call_.refusal.empty(); ++at) {
      const std::string name{'-', word[at]};
      const Meaning meaning = meaning_of(name);
      if (!meaning.known) {
        refuse(
            "what " + quoted(word) + " means for " + std::string{tool_.name} + " is not known here",
            false);
      } else if (meaning.value == AtomValue::None) {
        take(name, meaning, {});
      } else {
        const std::string_view rest = word.substr(at + 1);
        const bool takes_next = rest.empty() && meaning.value == AtomValue::Next;
        take(name, meaning, takes_next ? next_word() : rest);
        return;
      }
    }
  }

  std::string_view next_word() {
    return at_ + 1 < words_.size() ? words_[++at_] : std::string_view{};
  }

  void take(std::string_view name, const Meaning& meaning, std::string_view value) {
    has_required_ = has_required_ || atom_listed(tool_.required, name);
    call_.pins_settings = call_.pins_settings || atom_listed(tool_.pinned_by, name);
    const bool is_fine = meaning.refusal == nullptr ||
                         (!value.empty() && atom_listed(meaning.refusal->unless, value));
    if (!is_fine) {
      refuse(quoted(name) + ": " + std::string{meaning.refusal->why});
    }
  }

  Args words_;
  AtomConsent consent_;
  AtomCall& call_;
  const AtomTool& tool_;
  std::size_t at_ = 0;
  std::size_t leading_ = 0;
  std::string dashed_;
  bool ended_ = false;
  bool has_required_ = false;
};

void refuse_variables(AtomCall& call, const AtomConsent& consent, const Facts& facts) {
  for (const std::string_view name : split_words(call.tool->variables)) {
    const auto value = facts.environment(name);
    if (value && !value->empty() && call.refusal.empty() && !consent.force) {
      call.refusal = std::string{name} + " is set, which may hold any option";
      call.force_helps = true;
    }
  }
}

using enum AtomValue;

constexpr AtomRefusal kEslintRefusals[] = {
    {"--cache", None, kAtomCacheOfAll},
    {"--cache-file --cache-location --cache-strategy", Next, kAtomCacheOfAll},
    {"-o --output-file", Next, kAtomOneOutput},
    {"-f --format", Next, kAtomOneDocument, "stylish compact unix"},
    {"--max-warnings", Next, "the warnings of all files are counted", "0"},
    {"--stdin", None, kAtomStandardInput},
    {"--stdin-filename --print-config", Next, kAtomNoCheck},
    {"--inspect-config --init --env-info --mcp -h --help -v --version", None, kAtomNoCheck},
    {"--suppress-all --prune-suppressions", None, "the list of suppressions is one for all files"},
    {"--suppress-rule --suppressions-location", Next,
     "the list of suppressions is one for all files"},
};
constexpr AtomTool kEslint{
    .name = "eslint",
    .program = "eslint",
    .flags =
        "--no-config-lookup --no-eslintrc --fix --fix-dry-run --no-ignore --quiet --color "
        "--no-color --no-inline-config --report-unused-disable-directives "
        "--no-error-on-unmatched-pattern --exit-on-fatal-error --no-warn-ignored "
        "--pass-on-no-patterns --pass-on-unpruned-suppressions --debug --stats",
    .values =
        "-c --config --ext --global --env --parser --parser-options --plugin --rule "
        "--rulesdir --fix-type --ignore-path --ignore-pattern "
        "--resolve-plugins-relative-to --report-unused-disable-directives-severity "
        "--report-unused-inline-configs --flag --concurrency",
    .refusals = kEslintRefusals,
    .variables = "ESLINT_USE_FLAT_CONFIG",
    .listing = AtomListing::Git,
    .not_files = kAtomMediaFiles,
    .not_below = "node_modules",
    .since = 9,
    .added = "--no-warn-ignored",
    .note = "a file that makes eslint crash ends a whole call, and only its own part",
};

constexpr AtomRefusal kJqRefusals[] = {
    {"-s --slurp -n --null-input", None, "all inputs are one"},
    {"-e --exit-status", None, "the code is that of the last file"},
    {"-f --from-file", None, "the program is in a file, where it may ask for other inputs"},
    {"--args --jsonargs", None, "the operands are not files"},
    {"--stream-errors --seq -h --help -V --version --build-configuration", None, kAtomNoCheck},
};
constexpr AtomTool kJq{
    .name = "jq",
    .program = "jq",
    .flags =
        "-c --compact-output -r --raw-output -j --join-output -a --ascii-output -C "
        "--color-output -M --monochrome-output -S --sort-keys --tab --stream --unbuffered "
        "--raw-output0",
    .values = "--indent -L --library-path",
    .pairs = "--arg --argjson --slurpfile --rawfile",
    .refusals = kJqRefusals,
    .words = "input inputs halt halt_error input_line_number",
    .leading = 1,
    .note =
        "after a file that is not JSON a whole call reads no more, and its code is that of the "
        "last file",
};

constexpr AtomRefusal kPrettierRefusals[] = {
    {"--cache", None, kAtomCacheOfAll},
    {"--cache-location --cache-strategy", Next, kAtomCacheOfAll},
    {"--stdin-filepath", Next, kAtomStandardInput},
    {"--cursor-offset --range-start --range-end", Next, "offsets are those of one file"},
    {"--find-config-path --file-info", Next, kAtomNoCheck},
    {"--support-info -h --help -v --version", None, kAtomNoCheck},
};
constexpr AtomTool kPrettier{
    .name = "prettier",
    .program = "prettier",
    .flags =
        "-c --check -l --list-different -w --write --bracket-same-line --no-bracket-spacing "
        "--experimental-ternaries --no-experimental-ternaries --jsx-single-quote --no-semi "
        "--single-attribute-per-line --single-quote --use-tabs "
        "--vue-indent-script-and-style --no-config --no-editorconfig --with-node-modules "
        "--no-color --color --no-error-on-unmatched-pattern -u --ignore-unknown "
        "--insert-pragma --require-pragma --check-ignore-pragma",
    .values =
        "--arrow-parens --embedded-language-formatting --end-of-line "
        "--experimental-operator-position --html-whitespace-sensitivity --object-wrap "
        "--parser --print-width --prose-wrap --quote-props --tab-width --trailing-comma "
        "--config --config-precedence --ignore-path --plugin --log-level --loglevel",
    .refusals = kPrettierRefusals,
    .listing = AtomListing::Git,
    .not_files = kAtomMediaFiles,
    .not_below = "node_modules",
    .since = 3,
    .added = "--ignore-unknown",
    .follows_links = false,
};

constexpr AtomRefusal kShellcheckRefusals[] = {
    {"-f --format", Next, kAtomOneDocument, "tty gcc diff quiet"},
    {"--list-optional -V --version --help", None, kAtomNoCheck},
};
constexpr AtomTool kShellcheck{
    .name = "shellcheck",
    .program = "shellcheck",
    .flags = "-a --check-sourced --norc -x --external-sources",
    .values =
        "-i --include -e --exclude -o --enable -P --source-path -s --shell -S --severity -W "
        "--wiki-link-count --rcfile --extended-analysis",
    .attached = "-C --color",
    .refusals = kShellcheckRefusals,
    .required = "-x --external-sources",
    .required_why = "without `-x` a sourced file is read only when it is named in the same call",
    .variables = "SHELLCHECK_OPTS",
};

constexpr AtomRefusal kXmllintRefusals[] = {
    {"--output --o", Next, kAtomOneOutput},
    {"--shell --version --testIO --repeat --timing --memory --catalogs", None, kAtomNoCheck},
    {"--xpath --pattern", Next, "its code is that of the last file"},
    {"--dtdvalid --dtdvalidfpi --schema --relaxng --schematron", Next,
     "after errors of several kinds the code is that of the last file"},
    {"--valid --postvalid", None,
     "after errors of several kinds the code is that of the last file"},
};
constexpr AtomTool kXmllint{
    .name = "xmllint",
    .program = "xmllint",
    .flags =
        "--recover --huge --noent --noenc --noout --nonet --nocompact --nowrap --quiet "
        "--nodefdtd --push --nowarning --noblanks --nocdata --format --dropdtd --c14n "
        "--c14n11 --exc-c14n --nsclean --nocatalogs --xinclude --noxincludenode "
        "--nofixup-base-uris --loaddtd --dtdattr --stream --html --xmlout --htmlout",
    .values = "--path --maxmem --encode --pretty",
    .refusals = kXmllintRefusals,
    .one_dash = true,
};

constexpr AtomRefusal kYamllintRefusals[] = {
    {"-s --strict", None, "its code tells errors from warnings, and those of all files are one"},
    {"--list-files -v --version -h --help", None, kAtomNoCheck},
};
constexpr AtomTool kYamllint{
    .name = "yamllint",
    .program = "yamllint",
    .flags = "--no-warnings",
    .values = "-c --config-file -d --config-data -f --format",
    .refusals = kYamllintRefusals,
    .listing = AtomListing::Own,
    .list_flag = "--list-files",
};

constexpr std::array kOtherAtomTools{kEslint, kJq, kPrettier, kShellcheck, kXmllint, kYamllint};
static_assert(std::ranges::is_sorted(kOtherAtomTools, {}, &AtomTool::name));

}  // namespace

const AtomTool* find_atom_tool(std::string_view program, std::string_view next) {
  for (const auto tools : {python_atom_tools(), other_atom_tools()}) {
    const auto found = std::ranges::find_if(tools, [&](const AtomTool& tool) {
      return tool.program == program && (tool.part.empty() || tool.part == next);
    });
    if (found != tools.end()) {
      return &*found;
    }
  }
  return nullptr;
}

std::vector<std::string_view> atom_words(std::string_view list) {
  return split_words(list);
}

bool atom_listed(std::string_view list, std::string_view word) {
  return std::ranges::any_of(split_words(list), [&](std::string_view pattern) {
    return pattern == word || glob_matches(pattern, word);
  });
}

AtomCall read_atom_call(Args words, const AtomConsent& consent, const Facts& facts) {
  AtomCall call;
  if (words.empty()) {
    call.refusal = "there is no command";
    return call;
  }
  call.program = behind_launcher(words);
  call.tool = find_atom_tool(base_name(words[call.program]), call.program + 1 < words.size()
                                                                 ? words[call.program + 1]
                                                                 : std::string_view{});
  if (call.tool == nullptr) {
    call.refusal = "what " + quoted(base_name(words[call.program])) +
                   " says of a file may depend on the other files";
    return call;
  }
  if (call.tool->on_request && !consent.pytest_files) {
    call.refusal = "tests of several files may share fixtures and state; " +
                   std::string{"--atoms=pytest-file asks for one command per file"};
    return call;
  }
  call.options = call.program + (call.tool->part.empty() ? 1 : 2);
  AtomReader{words, consent, call}.read();
  refuse_variables(call, consent, facts);
  if (call.refusal.empty() && call.files.empty() && call.tool->whole_operand.empty()) {
    call.refusal = "no file or directory is named";
  }
  return call;
}

std::span<const AtomTool> other_atom_tools() {
  return kOtherAtomTools;
}

}  // namespace onelane::shims
