#!/usr/bin/env bash
# From a fresh clone to onelane at work: installs the packages, builds the release binary, and runs
# the same jobs in a project in a temporary directory, first without onelane, then with it. May be
# repeated, and run as root, through sudo and from any directory.
# shellcheck disable=SC2016  # dollars and backticks here are for the reader or for make
set -euo pipefail

ROOT=$(realpath "$(dirname "$0")/..")
BINARY=$ROOT/build/release/onelane
LOG=$ROOT/build/quickstart.log

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

# --- Build --------------------------------------------------------------------

# Under sudo the clone belongs to the user, and so must everything that we build in it.
give_back() {
  if [[ $(id -u) == 0 && -d $ROOT/build ]]; then
    chown -R --reference="$ROOT" "$ROOT/build"
  fi
}

# Reads ninja's output: a counter on a terminal, silence elsewhere.
show_progress() {
  local text
  while IFS= read -r text; do
    printf '%s\n' "$text" >>"$LOG"
    if [[ -t 1 && $text =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      printf '\r  %d of %d ' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    fi
  done
  [[ ! -t 1 ]] || printf '\r                    \r'
}

build() {
  mkdir -p "$ROOT/build"
  : >"$LOG"
  say "building build/release/onelane (a few minutes the first time)"
  if ! (cd "$ROOT" && cmake --preset release -DONELANE_TESTS=OFF && cmake --build --preset release) \
    2>&1 | show_progress; then
    tail -n 30 "$LOG" >&2
    fail "the build failed; the whole log is $LOG"
  fi
  say "built: $("$BINARY" --version)"
}

# --- The project --------------------------------------------------------------

# step.sh NAME is a job that must not run beside another one; it records when it starts and ends.
write_project() {
  git init --quiet --initial-branch=main .
  cat >step.sh <<'STEP'
#!/bin/sh
echo "$(date +%s.%N) $1 starts" >>"$TRACE"
sleep 0.7
echo "$(date +%s.%N) $1 ends" >>"$TRACE"
STEP
  chmod +x step.sh
  printf 'test:\n\t@./step.sh "make test ($(WHO))"\ncheck:\n\t@./step.sh "hook: make check"\n' >Makefile
  cat >test_sum.py <<'TEST'
import subprocess


def test_runs_alone():
    subprocess.run(["./step.sh", "hook: pytest"], check=True)
TEST
  printf '#!/bin/sh\nmake check && pytest -q -p no:cacheprovider\n' >.git/hooks/pre-commit
  chmod +x .git/hooks/pre-commit
  git add step.sh Makefile test_sum.py
}

# Starts two `make test` and a `git commit` at once, as two people and an agent might.
run_together() {
  local first second commit failed=0
  : >"$TRACE"
  timeout 60 make test WHO=first &
  first=$!
  timeout 60 make test WHO=second &
  second=$!
  timeout 60 git commit --quiet --allow-empty -m "$1" >"$TRACE.commit" 2>&1 &
  commit=$!
  wait "$first" || failed=1
  wait "$second" || failed=1
  wait "$commit" || failed=1
  if [[ $failed != 0 ]]; then
    cat "$TRACE.commit" >&2
    fail 'a command of the sample project failed'
  fi
}

print_trace() {
  awk '
    NR == 1 { zero = $1 }
    {
      when = $1 - zero
      sub(/^[^ ]+ /, "")
      if (/ starts$/) { flag = running++ ? "   <- beside another one" : "" }
      else { running--; flag = "" }
      printf "  %5.2fs  %s%s\n", when, $0, flag
    }' "$TRACE"
}

# True if all four jobs ran, and each one ended before the next one started.
one_at_a_time() {
  awk '
    { name = $0; sub(/^[^ ]+ /, "", name); sub(/ [a-z]+$/, "", name) }
    / starts$/ { if (running != "") overlap = 1; running = name; jobs++ }
    / ends$/ { if (running != name) overlap = 1; running = "" }
    END { exit !(jobs == 4 && !overlap) }' "$TRACE"
}

main_job() {
  PROJECT=$(mktemp -d "${TMPDIR:-/tmp}/onelane-quickstart.XXXXXX")
  trap 'rm -rf "$PROJECT"' EXIT
  export TRACE=$PROJECT/.git/trace
  # Shuts out the caller's git configuration, and any python but the system's.
  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
  export GIT_AUTHOR_NAME=onelane GIT_AUTHOR_EMAIL=onelane@localhost
  export GIT_COMMITTER_NAME=onelane GIT_COMMITTER_EMAIL=onelane@localhost
  export PATH=/usr/local/bin:/usr/bin:/bin:$PATH
  unset ONELANE ONELANE_HELD ONELANE_AT MAKEFLAGS MAKELEVEL GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
  cd "$PROJECT"
  write_project

  say ''
  say 'a sample project: two `make test` and a `git commit` (its hook: make check, pytest) at once'
  say ''
  say 'without onelane:'
  run_together 'Without onelane'
  print_trace
  if one_at_a_time; then
    fail 'the jobs did not overlap without onelane, so this proves nothing; run it again'
  fi

  say ''
  say 'with onelane (onelane init; PATH=.onelane/bin:$PATH):'
  "$BINARY" init >"$TRACE.init" 2>&1 || { cat "$TRACE.init" >&2; fail 'onelane init failed'; }
  PATH=$PROJECT/.onelane/bin:$PATH run_together 'With onelane'
  print_trace
  one_at_a_time || fail 'the jobs overlapped: onelane did not do its work'
  say ''
  say 'one at a time, in the order they came; the commit kept its turn for its whole hook.'
}

"$ROOT/install/packages.sh" build demo
trap give_back EXIT
build
give_back
trap - EXIT
main_job

say ''
say 'to adopt onelane in your own project:'
say '  cd /path/to/your/project'
say "  $BINARY init"
say '  export PATH="$PWD/.onelane/bin:$PATH"    # or let direnv do it: direnv allow'
