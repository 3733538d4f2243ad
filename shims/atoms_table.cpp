#include <algorithm>
#include <array>

#include "shims/atoms.hpp"
#include "shims/atoms_reasons.hpp"

/// Tools for other languages whose result for a file does not depend on the other files of the
/// call, each with the exceptions: taken from their documentation and, with `is_tested`, from their
/// behaviour.
namespace onelane::shims {
namespace {

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
    {"--args --jsonargs", None, "the operands are no files"},
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
        "after a file that is no JSON a whole call reads no more, and its code is that of the "
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

std::span<const AtomTool> other_atom_tools() {
  return kOtherAtomTools;
}

}  // namespace onelane::shims
