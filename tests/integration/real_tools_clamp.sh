# shellcheck shell=bash
# shellcheck disable=SC2016  # texts for other shells
# Cases of real_tools.sh: how many workers make, pytest-xdist and vitest really start when they
# are run as `onelane explain --json` says.

# bound MODE WORKERS: the settings for what follows.
bound() { export ONELANE_CLAMP=$1 ONELANE_MAX_WORKERS=$2; }

# explained COMMAND...: runs it with the words, variables and processors that explain prints.
explained() {
  "$ONELANE_BINARY" explain --json -- "$@" >"$PLACE/plan" || fail "explain $* failed"
  PATH=$DIRECT_PATH exec /usr/bin/python3 -c '
import json, os, sys
plan = json.load(open(sys.argv[1], encoding="utf-8"))
if plan["affinity"]:
    os.sched_setaffinity(0, plan["affinity"])
os.environ.update(plan["environment"])
os.execvp(plan["command"][0], plan["command"])' "$PLACE/plan"
}

# prepare_meeting: every worker runs `meet`, which waits for other workers beside it. Once the time
# is up for one, none waits any more.
prepare_meeting() {
  /usr/bin/python3 -c '' || skip 'python3 is not installed'
  cat >"$PLACE/bin/meet" <<'END'
#!/bin/sh
echo "+ $$" >>"$TRACE"
for round in $(seq $((MEET_SECONDS * 20))); do
  [ "$(grep -c '^+' "$TRACE")" -ge "$MEET" ] && break
  [ -e "$PLACE/over" ] && break
  sleep 0.05
done
: >"$PLACE/over"
echo "- $$" >>"$TRACE"
END
  chmod +x "$PLACE/bin/meet"
}

# beside MEET SECONDS COMMAND...: how many workers were at work at once.
beside() {
  local status
  : >"$TRACE"
  rm -f "$PLACE/over"
  (MEET=$1 MEET_SECONDS=$2 && export MEET MEET_SECONDS && shift 2 && "$@") >"$PLACE/out" 2>&1
  status=$?
  [[ $status == 0 ]] || fail "${*:3}: exit $status: $(<"$PLACE/out")"
  awk '/^\+/ { if (++n > most) most = n } /^-/ { --n } END { print most + 0 }' "$TRACE"
}

# free COMMAND...: all four workers meet.
free() {
  local met
  met=$(beside 4 30 "$@") || fail "$met"
  [[ $met == 4 ]] || fail "$*: $met workers at once, not 4"
}

# held WORKERS COMMAND...: no more than that many, although each leaves time for a further one.
held() {
  local met
  met=$(beside "$(($1 + 1))" 2 "${@:2}") || fail "$met"
  [[ $met == "$1" ]] || fail "${*:2}: $met workers at once, not $1"
}

case_clamp_make() {
  project shop
  prepare_meeting
  printf '%s\n' 'four: a b c d' 'a b c d:' $'\t@meet' >Makefile
  bound soft 2
  free explained make -j4 four
  free explained make -j four
  bound hard 2
  held 2 explained make -j4 four
  held 2 explained make four -j
  held 2 explained make -kj 4 four
  held 1 explained make -j1 four
  held 1 explained make four
  MAKEFLAGS=-j4 held 2 explained make four
}

case_clamp_pytest() {
  need pytest
  /usr/bin/python3 -c 'import xdist' 2>/dev/null || skip 'pytest has no xdist'
  project shop pytest
  prepare_meeting
  printf '%s\n' 'import subprocess, pytest' '@pytest.mark.parametrize("n", range(4))' \
    'def test_meets(n): subprocess.run(["meet"], check=True)' >test_meet.py
  bound soft 1
  free explained pytest -n4 test_meet.py
  free env PYTEST_XDIST_AUTO_NUM_WORKERS=4 pytest -nauto test_meet.py
  PYTEST_XDIST_AUTO_NUM_WORKERS=4 free explained pytest -nauto test_meet.py
  held 1 explained pytest -nauto test_meet.py
  bound hard 2
  held 2 explained pytest -n4 test_meet.py
  held 2 explained pytest test_meet.py --numprocesses 4
  PYTEST_ADDOPTS=-n4 held 2 explained pytest test_meet.py
  PYTEST_XDIST_AUTO_NUM_WORKERS=4 held 2 explained pytest -nauto test_meet.py
  held 1 explained pytest -n1 test_meet.py
}

# clamp_vitest FIXTURE VARIABLE
clamp_vitest() {
  need node
  project shop "$1"
  prepare_meeting
  DIRECT_PATH=$PWD/node_modules/.bin:$DIRECT_PATH
  PATH=$PWD/node_modules/.bin:$PATH
  rm sum.test.js
  for name in a b c d; do
    printf '%s\n' 'import { spawnSync } from "node:child_process";' \
      'import { test } from "vitest";' \
      'test("meets", { timeout: 60000 }, () => { spawnSync("meet"); });' >"$name.test.js"
  done
  bound soft 2
  free explained vitest run --maxWorkers=4
  held 1 env "$2=1" vitest run --maxWorkers=4 # why soft must not export it here
  echo 'require("node:os").availableParallelism = () => 8;' >"$PLACE/eight.cjs"
  NODE_OPTIONS="--require $PLACE/eight.cjs" free vitest run
  local soft=2
  (($(nproc) > 2)) || soft=1 # vitest leaves one processor free
  NODE_OPTIONS="--require $PLACE/eight.cjs" held "$soft" explained vitest run
  bound hard 2
  held 2 explained vitest run --maxWorkers=4
  held 2 explained vitest run --max-workers 4
  held 1 explained vitest run --no-file-parallelism
  echo 'export default { test: { maxWorkers: 4 } };' >vitest.config.js
  held 2 explained vitest run
  bound soft 2
  free explained vitest run
}

case_clamp_vitest_3() { clamp_vitest vitest3 VITEST_MAX_FORKS; }

case_clamp_vitest_4() {
  need node
  need_node_20
  clamp_vitest vitest4 VITEST_MAX_WORKERS
}
