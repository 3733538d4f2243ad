#include <array>
#include <string>
#include <vector>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

// Options of pytest and its common plugins whose value may be the next word.
constexpr auto kPytestLongs = std::to_array<std::string_view>({"asyncio-mode=",
                                                               "base-url=",
                                                               "basetemp=",
                                                               "browser=",
                                                               "color=",
                                                               "capture=",
                                                               "confcutdir=",
                                                               "config-file=",
                                                               "cov-append",
                                                               "cov-config=",
                                                               "cov-context=",
                                                               "cov-fail-under=",
                                                               "cov-report=",
                                                               "deselect=",
                                                               "dist=",
                                                               "doctest-glob=",
                                                               "doctest-report=",
                                                               "durations=",
                                                               "durations-min=",
                                                               "ds=",
                                                               "html=",
                                                               "ignore=",
                                                               "ignore-glob=",
                                                               "import-mode=",
                                                               "junit-prefix=",
                                                               "junit-xml=",
                                                               "junitprefix=",
                                                               "junitxml=",
                                                               "last-failed-no-failures=",
                                                               "lfnf=",
                                                               "log-auto-indent=",
                                                               "log-cli-date-format=",
                                                               "log-cli-format=",
                                                               "log-cli-level=",
                                                               "log-date-format=",
                                                               "log-disable=",
                                                               "log-file=",
                                                               "log-file-date-format=",
                                                               "log-file-format=",
                                                               "log-file-level=",
                                                               "log-file-mode=",
                                                               "log-format=",
                                                               "log-level=",
                                                               "maxfail=",
                                                               "maxprocesses=",
                                                               "maxschedchunk=",
                                                               "maxworkerrestart=",
                                                               "numprocesses=",
                                                               "only-rerun=",
                                                               "override-ini=",
                                                               "pastebin=",
                                                               "pdbcls=",
                                                               "pythonwarnings=",
                                                               "randomly-seed=",
                                                               "reruns=",
                                                               "reruns-delay=",
                                                               "rootdir=",
                                                               "rsyncdir=",
                                                               "rsyncignore=",
                                                               "show-capture=",
                                                               "tb=",
                                                               "testrunuid=",
                                                               "timeout=",
                                                               "timeout-method=",
                                                               "tx=",
                                                               "verbosity="});
constexpr Syntax kPytestSyntax{
    .shorts = "k:m:c:p:n:r:o:W:", .longs = kPytestLongs, .abbreviations = false};

/// The options that PYTEST_ADDOPTS puts before the arguments. Quotes are not parsed: no option that
/// matters here needs any.
std::vector<std::string> added_options(const Facts& facts) {
  std::vector<std::string> words;
  const std::string text = facts.environment("PYTEST_ADDOPTS").value_or("");
  for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string::npos;) {
    const auto end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

bool may_stop_for_someone(const Options& options) {
  return options.has_any("s", {"pdb", "pdbcls", "trace"}) || options.value("capture") == "no";
}

}  // namespace

Decision classify_pytest(Args args, const Facts& facts) {
  const auto added = added_options(facts);
  std::vector<std::string_view> all{added.begin(), added.end()};
  all.insert(all.end(), args.begin(), args.end());
  const Options options{all, kPytestSyntax};
  if (options.has_any("Vh", {"version", "help"})) {
    return {.cls = Class::Pass, .reason = "pytest: answers about itself"};
  }
  if (options.has_any("", {"cache-show", "collect-only", "co", "fixtures", "fixtures-per-test",
                           "funcargs", "markers", "setup-plan"})) {
    return {.cls = Class::Pass, .reason = "pytest: lists, runs no test"};
  }
  if (options.has('f', "looponfail")) {
    return {.cls = Class::Service, .reason = "pytest: runs again on each change"};
  }
  if (may_stop_for_someone(options) && facts.stdin_is_terminal()) {
    return {.cls = Class::Editor, .reason = "pytest: may stop at a prompt"};
  }
  return {.cls = Class::Lane, .reason = "pytest: runs tests"};
}

const Syntax& pytest_syntax() {
  return kPytestSyntax;
}

Target target_pytest(Args /*args*/) {
  return {};
}

}  // namespace onelane::shims
