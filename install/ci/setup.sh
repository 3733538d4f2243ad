#!/usr/bin/env bash
# Puts onelane's shims before the tools of a CI job. May be repeated; changes no tracked file.
#
#   eval "$(install/ci/setup.sh)"    any CI: all of it, and PATH for this shell
#   install/ci/setup.sh install      the executable: $ONELANE_BINARY, or built from this checkout
#   install/ci/setup.sh adopt        onelane init --ci in $ONELANE_PROJECT (the current directory)
#   install/ci/setup.sh path         PATH for later shells; must be the last of the set-up
#
# On GitHub, later steps get their environment through the files that $GITHUB_PATH and its like
# name. Elsewhere standard output is shell code to evaluate, and nothing else.
# shellcheck disable=SC2016  # dollars are for the later shells
set -euo pipefail

ROOT=$(realpath "$(dirname "$0")/../..")
# Does not resolve links: onelane acts by the name it is called by.
BINARY=$(realpath --no-symlinks -m "${ONELANE_BINARY:-$ROOT/build/release/onelane}")
PROJECT=$(realpath -m "${ONELANE_PROJECT:-$PWD}")

fail() {
  echo "onelane setup: $*" >&2
  exit 1
}

build() {
  local log=$ROOT/build/ci-setup.log
  "$ROOT/install/packages.sh" build >&2
  mkdir -p "$ROOT/build"
  echo 'onelane setup: building build/release/onelane' >&2
  if ! (cd "$ROOT" && cmake --preset release -DONELANE_TESTS=OFF && cmake --build --preset release) \
    >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "the build failed"
  fi
}

install_binary() {
  [[ -x $BINARY || -n ${ONELANE_BINARY:-} ]] || build
  [[ -x $BINARY && ! -d $BINARY ]] || fail "no executable: $BINARY"
  # Its folder goes on PATH, and onelane acts by the name it is called by.
  [[ $(basename "$BINARY") == onelane ]] || fail "$BINARY is not called onelane"
  "$BINARY" --version >&2
}

adopt() {
  # Drops the hint about $GITHUB_PATH if there is none.
  (cd "$PROJECT" && "$BINARY" init --ci) |
    if [[ -n ${GITHUB_PATH:-} ]]; then cat; else sed '/^next: onelane ci path >> /d'; fi >&2
}

# On Debian a login shell resets PATH. The line does nothing unless a job has set its variable, so
# it may stay in the home directory of a runner that is reused.
LOGIN_LINE='[ -z "${ONELANE_CI_PATH-}" ] || PATH="$ONELANE_CI_PATH:$PATH" # onelane ci'
teach_login_shells() {
  local file=${HOME-}/.profile name
  [[ -n ${HOME-} && -w $HOME ]] || return 0
  for name in .bash_profile .bash_login; do
    if [[ -f $HOME/$name ]]; then
      file=$HOME/$name
      break
    fi
  done
  grep -qsF '# onelane ci' "$file" || printf '%s\n' "$LOGIN_LINE" >>"$file"
}

set_path() {
  local shims own
  shims=$(cd "$PROJECT" && "$BINARY" ci path)
  own=$(dirname "$(realpath "$BINARY")")
  teach_login_shells
  if [[ -n ${GITHUB_PATH:-} ]]; then
    # GitHub puts the last line first on PATH.
    printf '%s\n' "$own" "$shims" >>"$GITHUB_PATH"
    printf 'ONELANE_CI_PATH=%s\n' "$shims:$own" >>"$GITHUB_ENV"
    [[ -n ${ONELANE_JOB_STARTED:-} ]] ||
      printf 'ONELANE_JOB_STARTED=%s\n' "$(date +%s)" >>"$GITHUB_ENV"
    [[ -z ${GITHUB_OUTPUT:-} ]] ||
      printf 'shims=%s\nonelane=%s\n' "$shims" "$BINARY" >>"$GITHUB_OUTPUT"
    return
  fi
  printf 'export ONELANE_CI_PATH=%q\n' "$shims:$own"
  printf 'export ONELANE_JOB_STARTED="${ONELANE_JOB_STARTED:-%s}"\n' "$(date +%s)"
  printf 'export PATH=%q:"$PATH"\n' "$shims:$own"
}

case ${1-all} in
  install) install_binary ;;
  adopt) adopt ;;
  path) set_path ;;
  all)
    # eval hides our exit code, so the code to evaluate ends with `false` after a failure.
    trap '[[ $? == 0 ]] || echo false' EXIT
    install_binary
    adopt
    set_path
    ;;
  *) fail "no part '$1' (install, adopt, path)" ;;
esac
