#include <algorithm>
#include <array>

#include "shims/atoms.hpp"

/// Python tools whose result for a file does not depend on the other files of the call, each with
/// the exceptions: taken from their documentation and, with `is_tested`, from their behaviour.
namespace onelane::shims {
namespace {

using enum AtomValue;

constexpr AtomRefusal kBlackRefusals[] = {
    {"-c --code --stdin-filename", Next, kAtomNoCheck},
    {"--include", Next, "the parts are named by that option"},
    {"--line-ranges", Next, "lines are those of one file"},
    {"-h --help --version", None, kAtomNoCheck},
};
constexpr AtomTool kBlack{
    .name = "black",
    .program = "black",
    .flags =
        "--pyi --ipynb -x --skip-source-first-line -S --skip-string-normalization -C "
        "--skip-magic-trailing-comma --preview --unstable --check --diff --color --no-color "
        "--fast --safe --no-cache -q --quiet -v --verbose",
    .values =
        "-l --line-length -t --target-version --python-cell-magics --required-version "
        "--exclude --extend-exclude --force-exclude --enable-unstable-feature -W --workers "
        "--config",
    .refusals = kBlackRefusals,
    .listing = AtomListing::Include,
    .files = "*.py *.pyi *.ipynb",
    .pinned_by = "--config",
    .markers = "pyproject.toml .git .hg",
    .settings = "pyproject.toml",
    .section = "tool.black",
    .keys = "include",
};

constexpr AtomRefusal kIsortRefusals[] = {
    {"--show-config --show-files -V --version --vn --version-number -h --help", None, kAtomNoCheck},
    {"--interactive", None, kAtomStandardInput},
    {"--filename", Next, kAtomStandardInput},
};
constexpr AtomTool kIsort{
    .name = "isort",
    .program = "isort",
    .flags =
        "--append --append-only --ac --atomic --af --force-adds -c --check --check-only --ca "
        "--combine-as --cs --combine-star -d --stdout --df --diff --ds --no-sections -e "
        "--balanced --fas --force-alphabetical-sort --fass "
        "--force-alphabetical-sort-within-sections --fgw --fss "
        "--force-sort-within-sections --ls --length-sort --lss --length-sort-straight -n "
        "--ensure-newline-before-comments --nis --no-inline-sort --ot --order-by-type --dt "
        "--dont-order-by-type -q --quiet --rr --reverse-relative --gitignore "
        "--skip-gitignore --sl --force-single-line-imports --tc --trailing-comma --up "
        "--use-parentheses -v --verbose --ws --ignore-whitespace --case-sensitive "
        "--filter-files --old-finders --magic-placement --honor-noqa "
        "--remove-redundant-aliases --color --float-to-top --treat-all-comment-as-code "
        "--dedup-headings --only-sections --os --only-modified --om --overwrite-in-place "
        "--resolve-all-configs --sort-reexports",
    .values =
        "--src --src-path -a --add-import -b --builtin --extra-builtin -f --future --ff "
        "--from-first -i --indent -j --jobs --lai --lines-after-imports --lbt "
        "--lines-between-types --le --line-ending -m --multi-line --nlb --no-lines-before "
        "-o --thirdparty -p --project --known-local-folder --rm --remove-import -s --skip "
        "--extend-skip --sd --section-default --sg --skip-glob --extend-skip-glob --nsl "
        "--single-line-exclusions --sp --settings-path --settings-file --settings -t --top "
        "--virtual-env --conda-env -l -w --line-length --line-width --wl --wrap-length --py "
        "--python-version --profile --treat-comment-as-code --formatter --ext --extension "
        "--supported-extension --blocked-extension --config-root",
    .refusals = kIsortRefusals,
    .listing = AtomListing::Own,
    .list_flag = "--show-files",
    .settings_at = "--settings-path",
    .pinned_by = "--sp --settings-path --settings-file --settings",
    .note = "a file in an unknown encoding fails a part that has no other file",
};

constexpr AtomRefusal kPytestRefusals[] = {
    {"-k -m --deselect --ignore --ignore-glob", Next, "it picks tests, and a file may have none"},
    {"-n --numprocesses --dist --maxprocesses", Next, "pytest-xdist shares out all files"},
    {"--cov --cov-report --cov-config --cov-fail-under", Next, "coverage is that of all files"},
    {"--cov-append --no-cov --cov-branch", None, "coverage is that of all files"},
    {"-x --exitfirst", None, "the first failure ends the whole call"},
    {"--maxfail", Next, "failures of all files are counted"},
    {"--lf --last-failed --ff --failed-first --nf --new-first --sw --stepwise --sw-skip "
     "--stepwise-skip --cache-clear --cache-show",
     None, "what failed last is kept for one call"},
    {"--junitxml --junit-xml --report-log --html --log-file", Next, kAtomOneOutput},
    {"--pdb --trace", None, kAtomStandardInput},
    {"--pyargs --co --collect-only --fixtures --markers --version -V -h --help --setup-plan", None,
     kAtomNoCheck},
    {"--basetemp --rootdir -p -o --override-ini", Next, "it may change what is collected"},
    {"--snapshot-update", None, "unused snapshots are those of all files"},
};
constexpr AtomTool kPytest{
    .name = "pytest",
    .program = "pytest",
    .flags =
        "-q --quiet -v -vv --verbose -s -l --showlocals --no-header --no-summary "
        "--strict-markers --strict-config --runxfail --disable-warnings --full-trace",
    .values =
        "--tb --capture --color --durations --durations-min --verbosity --show-capture "
        "--import-mode -W --pythonwarnings -c --log-level --log-cli-level",
    .attached = "-r",
    .refusals = kPytestRefusals,
    .variables = "PYTEST_ADDOPTS PYTEST_PLUGINS",
    .listing = AtomListing::Git,
    .files = "test_*.py *_test.py",
    .not_below = "*.egg .* _darcs build CVS dist node_modules venv {arch}",
    .pinned_by = "-c",
    .markers = "pytest.ini .pytest.ini pyproject.toml tox.ini setup.cfg",
    .settings = "pytest.ini .pytest.ini pyproject.toml tox.ini setup.cfg",
    .section = "pytest tool:pytest tool.pytest.ini_options tool.pytest",
    .keys = "python_files norecursedirs",
    .words =
        "-n* --numprocesses* --dist* --cov* -k* -m* -x --exitfirst --maxfail* --lf --ff "
        "--junit* --ignore* --deselect* --doctest*",
    .batch = 1,
    .on_request = true,
    .nothing_code = 5,
    .note = "fixtures of a session are set up once a file",
};

constexpr AtomRefusal kRuffCheckRefusals[] = {
    {"-o --output-file", Next, kAtomOneOutput},
    {"--output-format", Next, kAtomOneDocument,
     "text full concise grouped github pylint azure json-lines"},
    {"--statistics", None, "violations of all files are counted"},
    {"-w --watch", None, "it does not end"},
    {"--stdin-filename", Next, kAtomStandardInput},
    {"--show-files --show-settings -h --help -V --version", None, kAtomNoCheck},
};
constexpr AtomTool kRuffCheck{
    .name = "ruff check",
    .program = "ruff",
    .part = "check",
    .flags =
        "--fix --no-fix --unsafe-fixes --no-unsafe-fixes --show-fixes --no-show-fixes --diff "
        "--fix-only --no-fix-only --ignore-noqa --preview --no-preview --add-noqa "
        "--respect-gitignore --no-respect-gitignore --force-exclude --no-force-exclude -n "
        "--no-cache --isolated -e --exit-zero --exit-non-zero-on-fix --exit-non-zero-on-format "
        "-v --verbose -q --quiet -s --silent --show-source --no-show-source",
    .values =
        "--config --target-version --select --ignore --extend-select --extend-ignore "
        "--per-file-ignores --extend-per-file-ignores --fixable --unfixable "
        "--extend-fixable --exclude --extend-exclude --cache-dir --extension --color "
        "--line-length --dummy-variable-rgx",
    .refusals = kRuffCheckRefusals,
    .variables = "RUFF_OUTPUT_FILE RUFF_OUTPUT_FORMAT",
    .listing = AtomListing::Own,
    .list_flag = "--show-files",
    .whole_operand = ".",
    .is_tested = false,
};

constexpr AtomRefusal kRuffFormatRefusals[] = {
    {"--stdin-filename", Next, kAtomStandardInput},
    {"--range", Next, "lines are those of one file"},
    {"--output-format", Next, kAtomOneDocument,
     "full concise grouped github pylint azure json-lines"},
    {"-h --help -V --version", None, kAtomNoCheck},
};
constexpr AtomTool kRuffFormat{
    .name = "ruff format",
    .program = "ruff",
    .part = "format",
    .flags =
        "--check --diff --preview --no-preview --respect-gitignore --no-respect-gitignore "
        "--force-exclude -n --no-cache --isolated --exit-non-zero-on-format -v --verbose -q "
        "--quiet -s --silent",
    .values =
        "--config --target-version --exclude --extend-exclude --cache-dir --extension "
        "--line-length --color",
    .refusals = kRuffFormatRefusals,
    .listing = AtomListing::Git,
    .files = "*.py *.pyi *.ipynb",
    .added = "--force-exclude",
    .pinned_by = "--isolated",
    .settings = "pyproject.toml ruff.toml .ruff.toml",
    .section = "tool.ruff",
    .keys = "include extend-include",
    .whole_operand = ".",
    .spares_ignored = true,
    .is_tested = false,
};

constexpr std::array kPythonAtomTools{kBlack, kIsort, kPytest, kRuffCheck, kRuffFormat};
static_assert(std::ranges::is_sorted(kPythonAtomTools, {}, &AtomTool::name));

}  // namespace

std::span<const AtomTool> python_atom_tools() {
  return kPythonAtomTools;
}

}  // namespace onelane::shims
