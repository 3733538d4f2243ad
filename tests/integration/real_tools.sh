#!/usr/bin/env bash
# onelane in front of real tools: git with hooks, GNU make, pytest with xdist, pre-commit, husky,
# npm, vitest, direnv; linters in parts; and limits that they meet. ONELANE_BINARY names the
# executable under test, ONELANE_FIXTURES the folder that tests/fixtures/install.sh has filled.
#
#   tests/integration/real_tools.sh [CASE]...     default: all; --list names them
#
# Prints one line per case: ok, FAIL or skip with the reason. Exits with 1 when a case failed, with
# 125 when none ran.
# shellcheck disable=SC2016,SC2317  # texts for other shells; cases are called by name
set -uo pipefail

ROOT=$(realpath "$(dirname "$0")/../..")
ONELANE_BINARY=$(realpath -m "${ONELANE_BINARY:-$ROOT/build/release/onelane}")
FIXTURES=$(realpath -m "${ONELANE_FIXTURES:-$ROOT/build/fixtures}")
export ONELANE_BINARY
readonly SKIP=125

# --- What the cases are made of -------------------------------------------------------------

# skip WHY: this case cannot run here.
skip() {
  echo "$*" >"$PLACE/why"
  exit "$SKIP"
}

# fail WHAT: prints the trace as well, which says most.
fail() {
  echo "$*; trace:"
  cat "$TRACE"
  exit 1
}

need() {
  command -v "$1" >/dev/null || skip "$1 is not installed"
}

# project NAME [FIXTURE]: a repository that has adopted onelane, its shims first on PATH.
project() {
  local to=$PLACE/$1
  if [[ $# -gt 1 ]]; then
    [[ -d $FIXTURES/$2 ]] || skip "no $2 in $FIXTURES: run tests/fixtures/install.sh"
    cp -R "$FIXTURES/$2" "$to"
  fi
  git init --quiet "$to"
  cd "$to" || exit 1
  # `test` and `check` trace themselves; `hold` runs until a call waits for it.
  printf '%s\n' 'test:' $'\t@echo begin test >>$(TRACE); echo end test >>$(TRACE)' \
    'check:' $'\t@echo check >>$(TRACE)' \
    'hold:' $'\t@echo begin hold >>$(TRACE); until-queued && echo end hold >>$(TRACE)' >Makefile
  printf '%s\n' 'node_modules' '.installed' '__pycache__' >.gitignore
  git add . && git commit --quiet -m 'Open the shop' || exit 1
  "$ONELANE_BINARY" init --no-direnv >/dev/null || exit 1
  ln -s "$ONELANE_BINARY" .onelane/bin/onelane
  DIRECT_PATH=$PATH
  PATH=$PWD/.onelane/bin:$PATH
}

# within SECONDS COMMAND...: waits for a condition, for a limited time.
within() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < limit)) || return 1
    sleep 0.02
  done
}

traced() { grep -qxF "$1" "$TRACE"; }

# waits_for_hold COMMAND...: runs it while `make hold` holds the lane; it must start after that.
waits_for_hold() {
  make hold &
  local holder=$! status
  within 20 traced 'begin hold' || fail 'make hold never began'
  "$@"
  status=$?
  wait "$holder" || fail "$* did not wait while make hold held the lane"
  return "$status"
}

# apart FIRST SECOND: all lines of one run come before those of the other.
apart() {
  local order
  order=$(grep -E "^(begin|end) ($1|$2)$" "$TRACE" | paste -sd,)
  [[ $order == "begin $1,end $1,begin $2,end $2" ]] || fail "expected $1, then $2: $order"
}

# same COMMAND...: output and exit code are those of a run without onelane.
same() {
  local direct shim direct_status shim_status
  direct=$(PATH=$DIRECT_PATH "$@" 2>&1)
  direct_status=$?
  shim=$("$@" 2>&1)
  shim_status=$?
  [[ $direct_status == "$shim_status" ]] || fail "$*: exit $shim_status instead of $direct_status"
  diff <(steady <<<"$direct") <(steady <<<"$shim") || fail "$*: another output"
}

# steady: removes durations and clock times, which differ from run to run.
steady() {
  sed -E 's/[0-9]+(\.[0-9]+)? ?m?s//g; s/[0-9]{2}:[0-9]{2}:[0-9]{2}//g; s/ +/ /g; /complete log of this run/d'
}

hook() {
  mkdir -p "$(dirname "$1")"
  printf '#!/bin/sh\nset -e\n%s\n' "$2" >"$1"
  chmod +x "$1"
}

# shellcheck source=tests/integration/real_tools_atoms.sh
source "$(dirname "$0")/real_tools_atoms.sh"
# shellcheck source=tests/integration/real_tools_clamp.sh
source "$(dirname "$0")/real_tools_clamp.sh"
# shellcheck source=tests/integration/real_tools_git.sh
source "$(dirname "$0")/real_tools_git.sh"
# shellcheck source=tests/integration/real_tools_hooks.sh
source "$(dirname "$0")/real_tools_hooks.sh"
# shellcheck source=tests/integration/real_tools_node.sh
source "$(dirname "$0")/real_tools_node.sh"
# shellcheck source=tests/integration/real_tools_guard.sh
source "$(dirname "$0")/real_tools_guard.sh"

# --- Running them -----------------------------------------------------------------------

# prepare_place: a home, a trace and a helper for recipes, all below $PLACE.
prepare_place() {
  PLACE=$(mktemp -d)
  mkdir "$PLACE/home" "$PLACE/bin"
  : >"$PLACE/trace"
  cat >"$PLACE/bin/until-queued" <<'END'
#!/bin/sh
# Ends when a call waits for the lane of this project; with 1 if none does.
for round in $(seq 400); do
  "$ONELANE_BINARY" status --json | grep -q '"state":"waiting"' && exit
  sleep 0.05
done
exit 1
END
  chmod +x "$PLACE/bin/until-queued"
  cd "$PLACE" || exit 1
  export HOME=$PLACE/home TRACE=$PLACE/trace PLACE LC_ALL=C.UTF-8
  export PATH=/usr/local/bin:/usr/bin:/bin:$PLACE/bin
  export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
  unset ONELANE ONELANE_HELD ONELANE_AT MAKEFLAGS MAKELEVEL GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE \
    GIT_EDITOR CI XDG_CONFIG_HOME XDG_DATA_HOME
  git config --global user.name shop
  git config --global user.email shop@localhost
  git config --global init.defaultBranch main
}

# run_case NAME: one line; 0 for ok, 1 for FAIL, $SKIP for a skip.
run_case() {
  local status
  prepare_place
  ("case_$1") >"$PLACE/log" 2>&1
  status=$?
  case $status in
    0) echo "ok    $1" ;;
    "$SKIP") echo "skip  $1: $(<"$PLACE/why")" ;;
    *)
      echo "FAIL  $1"
      tail -n 40 "$PLACE/log" | sed 's/^/      | /'
      status=1
      ;;
  esac
  cd / && rm -rf "$PLACE"
  return "$status"
}

main() {
  local all cases=("$@") ran=0 failed=0 name
  mapfile -t all < <(declare -F | sed -n 's/^declare -f case_//p')
  if [[ ${1-} == --list ]]; then
    printf '%s\n' "${all[@]}"
    return
  fi
  [[ $# -gt 0 ]] || cases=("${all[@]}")
  for name in "${cases[@]}"; do
    run_case "$name"
    case $? in
      0) ((ran += 1)) ;;
      "$SKIP") ;;
      *) ((ran += 1, failed += 1)) ;;
    esac
  done
  ((failed == 0)) || return 1
  ((ran > 0)) || return "$SKIP"
}

main "$@"
