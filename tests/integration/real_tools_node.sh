# shellcheck shell=bash
# shellcheck disable=SC2016  # texts for other shells
# Cases of real_tools.sh: npm, husky, vitest, and direnv, which puts the shims on PATH.

# --- npm --------------------------------------------------------------------------------

case_npm_scripts() {
  need npm
  project shop npm-small
  same npm test
  same npm run build
  same npm run --silent env
  same npm run no-such-script
  npm run --silent fail
  [[ $? == 3 ]] || fail 'npm run fail must end with 3'
  same npm ci --ignore-scripts
}

case_npm_waits_its_turn() {
  need npm
  project shop npm-small
  waits_for_hold npm test >/dev/null || fail 'npm test failed'
  : >"$TRACE"
  waits_for_hold npm run build >/dev/null || fail 'npm run build failed'
  : >"$TRACE"
  waits_for_hold npm ci >/dev/null || fail 'npm ci failed'
}

case_npm_scripts_that_call_other_shims() {
  need npm
  project shop npm-small
  waits_for_hold npm run --silent make -- check || fail 'npm run make failed'
  [[ $(tail -1 "$TRACE") == check ]] || fail 'npm run make did not run make'
  npm run --silent commit >/dev/null || fail 'npm run commit failed'
  [[ $(git log -1 --format=%s) == 'from an npm script' ]] || fail 'no commit was made'
}

case_npm_prepare_that_calls_git() {
  need npm
  project shop npm-small
  npm pkg set scripts.prepare='git config core.hooksPath hooks && git add package.json' ||
    fail 'npm pkg set failed'
  waits_for_hold npm install >/dev/null || fail 'npm install failed'
  [[ $(git config core.hooksPath) == hooks ]] || fail 'prepare did not run'
  [[ $(git diff --cached --name-only) == package.json ]] || fail 'git add did not run'
}

case_husky() {
  need npm
  project shop husky
  npm run --silent prepare || fail 'husky did not set itself up'
  [[ $(git config core.hooksPath) == .husky/_ ]] || fail 'no hooks path'
  printf '%s\n' 'make check' 'npm test' 'echo begin commit >>"$TRACE"' 'until-queued' \
    'echo end commit >>"$TRACE"' >.husky/pre-commit
  git add .husky
  git commit --quiet -m 'With husky' >"$PLACE/commit.log" 2>&1 &
  local commit=$!
  within 60 traced 'begin commit' || fail "the hook never began: $(<"$PLACE/commit.log")"
  make test || fail 'make test failed'
  wait "$commit" || fail "the commit failed: $(<"$PLACE/commit.log")"
  apart commit test
  traced check || fail 'make check did not run'
  grep -q '^tested' "$PLACE/commit.log" || fail "npm test did not run: $(<"$PLACE/commit.log")"
}

# --- vitest -----------------------------------------------------------------------------

# with_vitest FIXTURE: exit codes, and its turn, called by name and through npm test.
with_vitest() {
  need node
  project shop "$1"
  PATH=$PWD/.onelane/bin:$PWD/node_modules/.bin:$DIRECT_PATH
  DIRECT_PATH=$PWD/node_modules/.bin:$DIRECT_PATH
  ln -s "$ONELANE_BINARY" .onelane/bin/vitest 2>/dev/null
  waits_for_hold vitest run >/dev/null || fail 'vitest run failed'
  [[ $(tail -1 "$TRACE") == vitest ]] || fail 'vitest did not run after make'
  : >"$TRACE"
  waits_for_hold npm test >/dev/null || fail 'npm test failed'
  [[ $(tail -1 "$TRACE") == vitest ]] || fail 'npm test did not run vitest after make'
  printf '%s\n' 'import { expect, test } from "vitest";' \
    'test("fails", () => { expect(1).toBe(2); });' >wrong.test.js
  local direct shim
  PATH=$DIRECT_PATH vitest run >/dev/null 2>&1
  direct=$?
  vitest run >/dev/null 2>&1
  shim=$?
  [[ $direct != 0 && $direct == "$shim" ]] || fail "a failing test: exit $shim, not $direct"
}

case_vitest_3() { with_vitest vitest3; }

need_node_20() {
  local version
  version=$(node --version)
  version=${version#v}
  ((${version%%.*} >= 20)) || skip "vitest 4 needs node 20 or later, this is $version"
}

case_vitest_4() {
  need node
  need_node_20
  with_vitest vitest4
}

# --- direnv -----------------------------------------------------------------------------

case_direnv() {
  need direnv
  project shop
  PATH=$DIRECT_PATH
  "$ONELANE_BINARY" init --direnv >/dev/null || fail 'onelane init failed'
  direnv allow . || fail 'direnv allow failed'
  [[ $(direnv exec . sh -c 'command -v make') == "$PWD/.onelane/bin/make" ]] ||
    fail "make is $(direnv exec . sh -c 'command -v make')"
  printf '%s\n' 'holder:' $'\t@"$$ONELANE_BINARY" status' >>Makefile
  direnv exec . make holder | grep -q '^holder:  make holder' || fail 'make did not hold the lane'
  waits_for_hold_through_direnv
}

waits_for_hold_through_direnv() {
  direnv exec . make hold &
  within 20 traced 'begin hold' || fail 'make hold never began'
  direnv exec . make test || fail 'make test failed'
  wait
  apart hold test
}
