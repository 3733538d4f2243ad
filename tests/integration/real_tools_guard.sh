# shellcheck shell=bash
# shellcheck disable=SC2016  # texts for other shells
# Cases of real_tools.sh: limits, and tools that leave processes behind.

# Processes of a case are found by this word of their command line.
leftover() { echo "leftover-of-$(basename "$PLACE")"; }

# alive: how many of them are alive; the brackets keep grep from finding itself.
alive() {
  local word
  word=$(leftover)
  grep -lsE "[l]${word#l}" /proc/[0-9]*/cmdline | wc -l
}

# nothing_left: there are no processes of the case and the lane has no holder.
nothing_left() {
  [[ $(alive) == 0 ]] || fail "$(alive) processes live on"
  "$ONELANE_BINARY" status | grep -q '^holder:  none' || fail 'the lane is not free'
}

# ends_with CODE COMMAND...: within a minute.
ends_with() {
  local expected=$1 status
  shift
  timeout 60 "$@"
  status=$?
  [[ $status == "$expected" ]] || fail "$*: exit $status instead of $expected"
}

# reason: why the last run ended, as the journal has it.
reason() {
  tail -1 .git/onelane/runs.jsonl | sed -E 's/.*"reason": ?"([a-z-]*)".*/\1/'
}

# A recipe's program that holds the run's output until it is ended.
worker_in_node() {
  echo "spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '$(leftover)'], $1).unref();"
}

# --- The verification of the scripts that onelane replaces ----------------------------------

case_guard_one_after_the_other() {
  project shop
  local i
  for i in 1 2 3; do
    onelane run -- bash -c "echo begin task$i >>$TRACE; sleep 0.3; echo end task$i >>$TRACE" &
  done
  wait
  local order
  order=$(sed 's/[0-9]$//' "$TRACE" | paste -sd,)
  [[ $order == 'begin task,end task,begin task,end task,begin task,end task' ]] ||
    fail "they overlapped: $order"
  [[ $(onelane run -- echo 'Sequential execution works!') == 'Sequential execution works!' ]] ||
    fail 'another output'
}

case_guard_five_makes() {
  project shop
  local i
  for i in 1 2 3 4 5; do make test & done
  wait
  [[ $(uniq -c "$TRACE" | awk '{ print $1 $2 }' | sort | uniq -c | awk '{ print $1 $2 }' |
    paste -sd,) == '51begin,51end' ]] || fail 'they overlapped'
  [[ $(grep -c '"reason"' .git/onelane/runs.jsonl) == 5 ]] || fail 'not one line a run'
}

case_guard_python_list() {
  project shop
  MEMORY_LIMIT_MB=100 ends_with 137 onelane run -- python3 -c 'x = [0] * 50000000' 2>"$PLACE/err"
  grep -q MEMORY_LIMIT_MB "$PLACE/err" || fail "no word of the limit: $(<"$PLACE/err")"
  [[ $(reason) == memory ]] || fail "the journal says $(reason)"
  nothing_left
  # The same number of bytes under a limit that allows them.
  MEMORY_LIMIT_MB=1000 ends_with 0 onelane run -- python3 -c 'x = [0] * 50000000'
}

case_guard_timeout() {
  project shop
  TIMEOUT=2 ends_with 124 onelane run -- sleep 10 2>"$PLACE/err"
  grep -q TIMEOUT "$PLACE/err" || fail "no word of the limit: $(<"$PLACE/err")"
  [[ $(reason) == timeout ]] || fail "the journal says $(reason)"
  TIMEOUT=20 ends_with 0 onelane run -- sleep 0.1
  # A shim does not use a variable that belongs to another tool.
  TIMEOUT=1 VERBOSE=1 ends_with 0 make test
}

case_guard_no_orphans() {
  project shop
  printf '%s\n' 'orphans:' \
    $'\t@for i in 1 2 3 4; do (trap "" TERM; exec python3 -c "import time; time.sleep(60)" '"$(leftover)"$') & done; sleep 0.5' \
    >>Makefile
  ONELANE_LINGER=0.5 ONELANE_KILL_TIMEOUT=0.5 ends_with 0 make orphans 2>/dev/null
  nothing_left
}

case_guard_services_end_with_theirs() {
  need npm
  project shop npm-small
  npm pkg set scripts.dev="node -e \"setInterval(() => {}, 1000)\" $(leftover) & node -e \"setInterval(() => {}, 1000)\" $(leftover)" ||
    fail 'npm pkg set failed'
  ONELANE_LINGER=0.5 ONELANE_KILL_TIMEOUT=1 npm run --silent dev &
  local service=$!
  within 20 eval '(($(alive) >= 2))' || fail 'npm run dev never began'
  kill -TERM "$service"
  wait "$service"
  within 15 eval '(($(alive) == 0))' || fail "$(alive) processes of npm run dev live on"
}

# --- Limits ------------------------------------------------------------------------------

case_guard_node_heap() {
  need npm
  project shop npm-small
  printf '%s\n' 'const heap = []; setInterval(() => heap.push(Buffer.alloc(8 << 20, 1)), 10);' >grow.js
  npm pkg set scripts.build="node grow.js $(leftover)" || fail 'npm pkg set failed'
  ONELANE_MEMORY_LIMIT_MB=300 ends_with 137 npm run --silent build 2>/dev/null
  [[ $(reason) == memory ]] || fail "the journal says $(reason)"
  nothing_left
}

case_guard_parallel_make() {
  project shop
  printf '%s\n' 'all: a b c d' 'a b c d:' \
    $'\t@python3 -c "import time; x = bytearray(b\'x\') * (90 << 20); time.sleep(8)" '"$(leftover)" \
    >>Makefile
  ONELANE_TREE_MEMORY_LIMIT_MB=250 ends_with 137 make -j4 all 2>/dev/null
  [[ $(reason) == tree-memory ]] || fail "the journal says $(reason)"
  nothing_left
}

case_guard_spares_a_repack() {
  project shop
  git config core.compression 0
  git config core.bigFileThreshold 1m
  head -c 120M /dev/urandom >catalogue
  git add catalogue && git commit --quiet -m 'A catalogue' || fail 'no commit'
  git repack --quiet -ad || fail 'the first repack failed'
  ONELANE_MEMORY_LIMIT_MB=60 ONELANE_TREE_MEMORY_LIMIT_MB=90 ends_with 0 git repack --quiet -ad
}

case_guard_spares_forked_workers() {
  need pytest
  project shop
  cat >test_pool.py <<'END'
import os, time
heap = bytearray(b"x") * (120 << 20)
def test_pool():
    children = [os.fork() for _ in range(4)]
    if 0 in children:
        time.sleep(1)
        os._exit(0)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
END
  ONELANE_TREE_MEMORY_LIMIT_MB=300 ends_with 0 pytest -q -p no:cacheprovider >/dev/null
}

# --- Tools that leave something behind ---------------------------------------------------

# vitest_project TEXT: a project whose only test file starts with it.
vitest_project() {
  need node
  project shop vitest3
  PATH=$PWD/.onelane/bin:$PWD/node_modules/.bin:$DIRECT_PATH
  ln -s "$ONELANE_BINARY" .onelane/bin/vitest 2>/dev/null
  printf '%s\n' 'import { spawn } from "node:child_process";' \
    'import { expect, test } from "vitest";' "$1" >sum.test.js
}

case_guard_vitest_leaks_a_worker() {
  vitest_project "test('leaks', () => { $(worker_in_node '{ stdio: "inherit" }') })"
  ONELANE_LINGER=0.5 ends_with 0 vitest run --pool=forks >/dev/null 2>"$PLACE/err"
  grep -q '^onelane: ' "$PLACE/err" || fail 'it was not told'
  nothing_left
}

case_guard_vitest_leaks_a_detached_worker() {
  vitest_project "test('leaks', () => { $(worker_in_node '{ stdio: "inherit", detached: true }') })"
  ONELANE_LINGER=0.5 ends_with 0 vitest run --pool=forks >"$PLACE/out" 2>&1
  nothing_left
}

case_guard_vitest_into_head() {
  vitest_project 'for (let i = 0; i < 300; i++) test(`number ${i}`, () => { expect(i).toBe(i); });'
  timeout 60 vitest run --reporter=verbose --pool=forks 2>/dev/null | head -3 >"$PLACE/out"
  [[ ${PIPESTATUS[0]} != 124 ]] || fail 'it did not end'
  [[ $(wc -l <"$PLACE/out") == 3 ]] || fail 'head had nothing to read'
  nothing_left
}

case_guard_xdist_without_its_master() {
  need pytest
  /usr/bin/python3 -c 'import xdist' 2>/dev/null || skip 'pytest has no xdist'
  project shop
  cat >test_end.py <<'END'
import os, pytest, signal, time
@pytest.mark.parametrize("n", [1, 2])
def test_end(n):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(os.environ["TRACE"], "a", encoding="utf-8") as trace:
        trace.write(f"worker {os.getpid()}\n")
    time.sleep(0.3)
    if n == 1:
        os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
END
  local status pid
  ONELANE_LINGER=0.5 ONELANE_KILL_TIMEOUT=0.5 timeout 60 pytest -q -n2 -p no:cacheprovider \
    >"$PLACE/out" 2>&1
  status=$?
  [[ $status == 137 ]] || fail "exit $status instead of 137"
  [[ $(grep -c worker "$TRACE") -ge 1 ]] || fail 'no worker began'
  while read -r _ pid; do
    [[ ! -d /proc/$pid ]] || fail "worker $pid lives on"
  done < <(grep worker "$TRACE")
  nothing_left
}

case_guard_npm_script_leaves_a_server() {
  need npm
  project shop npm-small
  npm pkg set scripts.build="node -e \"setInterval(() => {}, 1000)\" $(leftover) & sleep 0.5" ||
    fail 'npm pkg set failed'
  ONELANE_LINGER=0.5 ends_with 0 npm run --silent build 2>"$PLACE/err"
  grep -q '^onelane: ' "$PLACE/err" || fail 'it was not told'
  nothing_left
  # Cut off from the run's output on purpose, so that it lives on and is listed.
  npm pkg set scripts.build="node -e \"setInterval(() => {}, 1000)\" $(leftover) <&- >server.log 2>&1 & sleep 0.5"
  ONELANE_LINGER=0.5 ends_with 0 npm run --silent build 2>/dev/null
  local kept
  kept=$("$ONELANE_BINARY" status | sed -nE 's/^kept: .*\(pid ([0-9]+),.*/\1/p')
  [[ $(alive) == 1 && -n $kept ]] || fail "the server was ended: $("$ONELANE_BINARY" status)"
  kill -KILL "$kept"
}
