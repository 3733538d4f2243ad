#!/usr/bin/env bash
# starts_test.sh BINARY: the same calls under both starts of the executable, which must print and
# end the same. GLIBC_TUNABLES makes it start as the C library does (multicall/start/start.cpp).
set -uo pipefail

BINARY=$(realpath "${1:?starts_test.sh needs an executable}")
PLACE=$(mktemp -d)
trap 'rm -rf "$PLACE"' EXIT
FAILED=0

export HOME=$PLACE
export PATH=$PLACE/shims:$PLACE/real:/usr/bin:/bin
unset ONELANE ONELANE_HELD ONELANE_AT MAKEFLAGS GLIBC_TUNABLES XDG_CONFIG_HOME
mkdir -p "$PLACE"/{shims,real,project}
ln -s "$BINARY" "$PLACE/shims/make"
ln -s "$BINARY" "$PLACE/shims/git"
ln -s "$BINARY" "$PLACE/shims/onelane"
cat >"$PLACE/real/make" <<'TOOL'
#!/bin/bash
case $1 in
  code) exit "$2" ;;
  die) kill -"$2" $$ ;;
  below) git commit ;;
  limits) ulimit -a ;;
  *) printf '%s\n' "$0 $*" "${ONELANE_HELD:+held}" "$(cat)" ;;
esac
TOOL
printf '#!/bin/sh\necho "git $*"\n' >"$PLACE/real/git"
chmod +x "$PLACE"/real/*
cd "$PLACE/project" || exit 1
/usr/bin/git init --quiet . && mkdir .git/onelane || exit 1

# both NAME COMMAND...: compares output, errors and exit status.
both() {
  local name=$1 plain quick
  shift
  quick=$("$@" 2>&1 <<<'input'; echo "ended with $?")
  plain=$(GLIBC_TUNABLES=glibc.malloc.check=0 "$@" 2>&1 <<<'input'; echo "ended with $?")
  if [[ $quick != "$plain" ]]; then
    printf '%s differs\n-- quick:\n%s\n-- plain:\n%s\n' "$name" "$quick" "$plain"
    FAILED=1
  fi
}

# shellcheck disable=SC2317  # called through both
# died SIGNAL: of a tool that a signal ends; the caller, this shell, sees which.
died() {
  (make die "$1")
  return $?
}

both version onelane --version
both help onelane help
both usage onelane run --no-such-option
both settings onelane settings
both status onelane status
both pass git --version
both lane make all
both 'exit code' make code 7
both nested make below
both limits make limits
both run onelane run -- make code 3
both timeout onelane run --timeout 1 --kill-timeout 1 -- /bin/sleep 5
both unknown onelane run -- no-such-tool
both TERM died TERM
both KILL died KILL
both SEGV died SEGV
both journal bash -c 'onelane runs list --json | grep -c .; onelane stats >/dev/null; onelane report >/dev/null'
both closed bash -c 'make code 4 <&- >&- 2>&-'
both 'full environment' env "LONG=$(printf '%0100000d' 7)" make all
both unicode env LC_ALL=C.UTF-8 onelane explain make "$(printf '\303\251')"
[[ $FAILED == 0 ]] && echo 'both starts behave the same'
exit "$FAILED"
