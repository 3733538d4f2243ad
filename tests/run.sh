#!/usr/bin/env bash
# Builds onelane and runs every check. The last line is `N passed, N failed`, where a test and
# a lint or build step count one each; the exit status is non-zero when anything failed.
#
#   tests/run.sh             everything
#   tests/run.sh --quick     without clang-tidy, sanitizers, fuzzing, git's suite and benchmark
#   tests/run.sh --storm N   the storm with N processes, on the release binary (else 300, on dev)
#   tests/run.sh --soak M    the soak for M minutes, on the release binary (else seconds, on dev)
#
# Logs go to build/logs, one a step. A step that fails does not stop the later ones.
# shellcheck disable=SC2317  # most functions are called by name, through step
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

QUICK=no
STORM=
SOAK=
FUZZ_SECONDS=12
while [[ $# -gt 0 ]]; do
  case $1 in
    --quick) QUICK=yes ;;
    --storm)
      STORM=${2:?--storm needs a number of processes}
      shift
      ;;
    --soak)
      SOAK=${2:?--soak needs a number of minutes}
      shift
      ;;
    *)
      echo 'usage: tests/run.sh [--quick] [--storm N] [--soak MINUTES]' >&2
      exit 64
      ;;
  esac
  shift
done

# Tests start from the same environment everywhere: Debian's python3 and pytest rather than a
# version manager's, no shims of a project around us, no colours.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH
unset ONELANE ONELANE_HELD ONELANE_AT MAKEFLAGS MAKELEVEL GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
export ONELANE_FIXTURES=$PWD/build/fixtures

LOGS=$PWD/build/logs
JOBS=$(nproc)
PASSED=0
FAILED=0
SKIPPED=0
FAILURES=()
EXPLAINED=()
rm -rf "$LOGS"
mkdir -p "$LOGS"

# line STATE NAME DETAIL SECONDS
line() {
  printf '  %-5s %-26s %-32s %4ss\n' "$@"
}

# explain_failure NAME: the end of its log, so that a CI page is enough to see what is wrong. A page
# may show no more than its end: some of it again there.
explain_failure() {
  sed 's/^/        | /' <(tail -n 40 "$LOGS/$1.log")
  EXPLAINED[${#FAILURES[@]} - 1]=$(tail -n 6 "$LOGS/$1.log" | cut -c1-160 | sed 's/^/    | /')
}

# step NAME COMMAND...: one check.
step() {
  local name=$1 started=$SECONDS
  shift
  if "$@" >"$LOGS/$name.log" 2>&1; then
    ((PASSED += 1))
    line ok "$name" '' $((SECONDS - started))
    return 0
  fi
  ((FAILED += 1))
  FAILURES+=("$name (build/logs/$name.log)")
  line FAIL "$name" "build/logs/$name.log" $((SECONDS - started))
  explain_failure "$name"
  return 1
}

# attribute FILE NAME: a number from the head of a JUnit file.
attribute() {
  grep -m1 -o "[[:space:]]$2=\"[0-9]*\"" "$1" | tr -dc 0-9
}

# failed_cases FILE: names of the tests that failed.
failed_cases() {
  grep -E '<testcase .*status="fail"' "$1" | sed -E 's/.*<testcase name="([^"]*)".*/\1/'
}

# failed_output FILE [NAME]: what each test that failed, or that one, has printed, its last lines.
failed_output() {
  awk -v name="${2-}" '
       /<testcase .*status="fail"/ && (name == "" || index($0, "name=\"" name "\"")) {
         inside = 1; count = 0
       }
       inside { lines[count++ % 15] = $0 }
       /<\/testcase>/ && inside {
         inside = 0
         for (i = (count > 15 ? count - 15 : 0); i < count; ++i) print "        | " lines[i % 15]
       }' "$1" | cut -c1-300
}

# failed_reason FILE NAME: the line or two of it that say why.
failed_reason() {
  failed_output "$1" "$2" | grep -vE '\[ +(RUN|FAILED|OK|PASSED) |\[[-=]{10}|</' | cut -c9-168 |
    sed '/^| *$/d; s/^/    /' | tail -n 6
}

# skip_reasons FILE: each reason once, with how many tests gave it.
skip_reasons() {
  sed -n '/: Skipped$/ { n; p }' "$1" | sort | uniq -c | sed 's/^ */        | skipped: /'
}

# ctest_step NAME BUILD_FOLDER CTEST_OPTION...: counts every test.
ctest_step() {
  local name=$1 folder=$2 started=$SECONDS
  local junit=$LOGS/$1.xml total failed skipped case
  shift 2
  ${WRAPPER-} ctest --test-dir "build/$folder" --output-on-failure --no-tests=error --timeout 300 \
    --output-junit "$junit" "$@" >"$LOGS/$name.log" 2>&1
  local status=$?
  if [[ ! -s $junit ]]; then
    ((FAILED += 1))
    FAILURES+=("$name: no test ran (build/logs/$name.log)")
    line FAIL "$name" 'no test ran' $((SECONDS - started))
    explain_failure "$name"
    return 1
  fi
  total=$(attribute "$junit" tests)
  failed=$(attribute "$junit" failures)
  skipped=$(($(attribute "$junit" skipped) + $(attribute "$junit" disabled)))
  ((PASSED += total - failed - skipped, FAILED += failed, SKIPPED += skipped))
  while IFS= read -r case; do
    FAILURES+=("$name: $case")
    EXPLAINED[${#FAILURES[@]} - 1]=$(failed_reason "$junit" "$case")
  done < <(failed_cases "$junit")
  if ((status != 0 && failed == 0)); then
    ((FAILED += 1))
    FAILURES+=("$name: ctest ended with $status (build/logs/$name.log)")
  fi
  line "$([[ $status == 0 ]] && echo ok || echo FAIL)" "$name" \
    "$total tests, $failed failed, $skipped skipped" $((SECONDS - started))
  ((skipped == 0)) || skip_reasons "$junit"
  ((failed == 0)) || failed_output "$junit"
  ((status == 0 || failed > 0)) || explain_failure "$name"
  return "$status"
}

# configure_and_build FOLDER TARGET_PATTERN [CMAKE_OPTION...]: the preset of that name, the
# targets that match (all: `.`).
configure_and_build() {
  local folder=$1 pattern=$2 targets
  shift 2
  cmake --preset "$folder" "$@" || return
  if [[ $pattern == . ]]; then
    $CALM ninja -C "build/$folder" -j "$JOBS" -k 0
    return
  fi
  mapfile -t targets < <(targets_matching "$folder" "$pattern")
  if [[ ${#targets[@]} == 0 ]]; then
    echo "no target is called $pattern"
    return 1
  fi
  $CALM ninja -C "build/$folder" -j "$JOBS" -k 0 "${targets[@]}"
}

targets_matching() {
  ninja -C "build/$1" -t targets all | sed -n 's/: .*//p' | grep -E "^$2$"
}

storm() {
  if [[ -z $STORM ]]; then
    ctest_step storm check --tests-regex '^storm$'
    return
  fi
  step storm build/check/tests/storm build/release/onelane "$STORM"
  tail -n 3 "$LOGS/storm.log" | sed 's/^/        /'
}

soak() {
  if [[ -z $SOAK ]]; then
    ctest_step soak check --tests-regex '^soak$'
    return
  fi
  step soak tests/stress/soak --binary build/release/onelane --hog build/check/tests/hog \
    --fixtures "$ONELANE_FIXTURES" --seconds $((SOAK * 60))
  tail -n 1 "$LOGS/soak.log" | sed 's/^/        /'
}

# clang-tidy over what we ship; tests are held to it by review and -Werror.
tidy() {
  cmake --preset tidy >/dev/null && ninja -C build/tidy multicall/report/page_parts.cpp >/dev/null || return
  # GCC's warnings are unknown to clang; those that it knows were already errors.
  run-clang-tidy -p build/tidy -quiet -j "$JOBS" -extra-arg=-Wno-unknown-warning-option \
    "$PWD/(core|shims|multicall)/.*\\.cpp$|$PWD/build/tidy/.*\\.cxx$" 2>/dev/null |
    sed 's/\x1b\[[0-9;]*m//g' | sed '/^clang-tidy/d'
}

# fuzz TARGET: a short run from its seeds; what it finds stays in build/fuzz.
fuzz() {
  local corpus=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1
  mkdir -p "$corpus"
  [[ -d $seeds ]] || seeds=
  "build/fuzz/tests/$1" -max_total_time="$FUZZ_SECONDS" -timeout=5 -rss_limit_mb=2048 \
    -artifact_prefix="$corpus-" -print_final_stats=1 "$corpus" ${seeds:+"$seeds"}
}

fuzz_all() {
  local target targets
  step build-fuzz configure_and_build fuzz 'fuzz_[a-z_]+' -DONELANE_TESTS=OFF || return
  mapfile -t targets < <(targets_matching fuzz 'fuzz_[a-z_]+')
  for target in "${targets[@]}"; do
    step "$target" fuzz "$target"
  done
}

# ThreadSanitizer of GCC 12 dies where the kernel randomises more address bits than it expects.
CALM=
if setarch --addr-no-randomize true 2>/dev/null; then
  CALM='setarch --addr-no-randomize'
fi

# sanitizer PRESET FOLDERS: the unit tests of these folders (a pattern).
sanitizer() {
  step "build-$1" configure_and_build "$1" "unit_$2"
  WRAPPER=$CALM ctest_step "$1" "$1" --label-regex '^unit$' --tests-regex "^$2\\." --parallel "$JOBS"
}

all_checks() {
  echo "onelane: all checks, $(date --utc +%FT%TZ), $JOBS cores, logs in build/logs"
  step packages install/packages.sh build test
  echo "        node $(node --version 2>&1) at $(command -v node), npm $(npm --version 2>/dev/null)," \
    "python $(/usr/bin/python3 --version 2>&1 | cut -d' ' -f2), g++ $(g++ -dumpfullversion)"
  step fixtures tests/fixtures/install.sh "$ONELANE_FIXTURES"
  step format tests/lint/format.sh cpp
  step shellcheck tests/lint/format.sh shell

  step build-check configure_and_build check .
  step build-release configure_and_build release . -DONELANE_TESTS=OFF
  step starts tests/integration/starts_test.sh build/release/onelane
  ctest_step check check --label-exclude '^stress$' --parallel "$JOBS"
  storm
  soak
  step quickstart install/quickstart.sh
  if [[ $QUICK == no ]]; then
    sanitizer asan '[a-z_]+'
    sanitizer tsan '(sys|lane|process)' # only these ever have a second thread
    fuzz_all
    step clang-tidy tidy
    step external tests/external/run
    grep -E '^(make|git) ' "$LOGS/external.log" | sed 's/^/        /'
    step bench tests/bench/run --quick --json build/bench.json
    sed -n '/^measure/,$p' "$LOGS/bench.log"
  fi
}

summary() {
  local i
  if ((FAILED > 0)); then
    echo
    echo 'failed:'
    for ((i = 0; i < ${#FAILURES[@]}; ++i)); do
      printf '  %s\n' "${FAILURES[i]}" ${EXPLAINED[i]:+"${EXPLAINED[i]}"}
    done
  fi
  echo
  if ((SKIPPED > 0)); then
    echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
  else
    echo "$PASSED passed, $FAILED failed"
  fi
  ((FAILED == 0))
}

# One line, so that bash has read all of this file before it begins: it may be edited meanwhile.
all_checks; summary; exit
