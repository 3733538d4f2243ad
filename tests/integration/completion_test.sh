#!/usr/bin/env bash
# Completion scripts in their real shells, and the manual pages in real formatters.
# ONELANE_BINARY names the executable under test.
#
#   tests/integration/completion_test.sh bash|zsh|fish|offers|man|help
#
# Exits with 125 and a reason if the shell or formatter is not installed.
# shellcheck disable=SC2016  # dollars are for the shells under test
set -euo pipefail

ROOT=$(realpath "$(dirname "$0")/../..")
BINARY=$(realpath "${ONELANE_BINARY:-$ROOT/build/release/onelane}")
SANDBOX=$(mktemp -d)
HOLDER=
clean() {
  [[ -z $HOLDER ]] || kill "$HOLDER" || true
  wait
  rm -rf "$SANDBOX"
}
trap clean EXIT
export HOME=$SANDBOX/home LC_ALL=C.UTF-8 PATH=$SANDBOX/tools:/usr/local/bin:/usr/bin:/bin
unset ONELANE ONELANE_HELD XDG_CONFIG_HOME XDG_DATA_HOME

need() {
  command -v "$1" >/dev/null && return
  echo "skipped: $1 is not installed"
  exit 125
}

fail() {
  printf 'completion_test: %s\n' "$*" >&2
  exit 1
}

# A project with one run that holds the lane and one that has ended.
write_project() {
  mkdir -p "$HOME" "$SANDBOX/tools"
  ln -s "$BINARY" "$SANDBOX/tools/onelane"
  git init --quiet "$SANDBOX/shop"
  cd "$SANDBOX/shop"
  onelane init >/dev/null
  printf '[tools.cargo]\nclass = "lane"\n' >>onelane.toml
  onelane run -- true
  mkfifo "$SANDBOX/gate"
  onelane run -- sh -c 'read -r _ <"$1"' $'sh\e[31m' "$SANDBOX/gate" &
  HOLDER=$!
  local try
  for try in {1..500}; do
    RUNNING=$(onelane __complete running | cut -f1)
    [[ -z $RUNNING ]] || break
    sleep 0.02
  done
  [[ $RUNNING ]] || fail "no holder after $try looks"
  printf '[tools."x$(touch pwned)"]\nclass = "lane"\n' >>onelane.toml
}

close_project() {
  echo go >"$SANDBOX/gate"
  wait "$HOLDER"
  HOLDER=
  [[ ! -e pwned ]] || fail 'a name from onelane.toml was executed'
}

# expect LINE WANTED...: `candidates LINE` prints all of these, and none of those given as `!WORD`.
expect() {
  local line=$1 wanted got
  shift
  got=$(candidates "$line")
  for wanted in "$@"; do
    if [[ $wanted == '!'* ]]; then
      ! grep -qxF -e "${wanted#!}" <<<"$got" || fail "'$line' offers ${wanted#!}: ${got//$'\n'/ }"
    else
      grep -qxF -e "$wanted" <<<"$got" || fail "'$line' does not offer $wanted: ${got//$'\n'/ }"
    fi
  done
}

expect_in_any_shell() {
  expect 'onelane ' status init run completion '!__complete'
  expect 'onelane st' status stop '!init'
  expect 'onelane status --' --json --help
  expect 'onelane completion ' bash zsh fish
  expect 'onelane init --limits ' seeds
  expect 'onelane init --tool ' make cargo '!x$(touch' '!x$(touch pwned)'
  expect 'onelane stop ' "$RUNNING"
  expect 'onelane which ' git cargo
  expect 'onelane help st' status stop
  expect 'onelane run --no' --no-wait
  expect 'onelane run -- mkfi' mkfifo
  expect 'onelane run mkfi' mkfifo
  expect 'onelane explain -- mkfi' mkfifo
}

# --- bash: COMP_WORDS as readline splits them, the function as bash calls it -------------

candidates() {
  case $SHELL_UNDER_TEST in
    bash)
      bash --norc -c '
        source <(onelane completion bash) || exit
        line=$1
        read -ra COMP_WORDS <<<"${line//=/ = }"
        [[ $line != *" " ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
        _onelane onelane "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
      ;;
    fish) fish --no-config -c '
        onelane completion fish | source
        complete -C $argv[1]' "$1" 2>"$SANDBOX/said" | cut -f1
      [[ ! -s $SANDBOX/said ]] || { cat "$SANDBOX/said"; exit 1; } ;;
    zsh) zsh -f "$SANDBOX/capture.zsh" "$1" ;;
  esac
}

case_bash() {
  need bash
  expect_in_any_shell
  expect 'onelane init --limits=' seeds
  expect 'onelane init --limits=s' seeds
  expect 'onelane run --priority 5 mkfi' mkfifo
  expect 'onelane run --priority mkfi' '!mkfifo'
  bash --norc -c 'source <(onelane completion bash); complete -p onelane' | grep -q _onelane
}

case_fish() {
  need fish
  expect_in_any_shell
  expect 'onelane init --limits=' --limits=seeds '!--limits=onelane.toml'
  expect 'onelane run --priority 5 mkfi' mkfifo
  expect 'onelane run make --no' '!--no-wait'
  expect 'onelane run ' mkfifo
}

# --- zsh: what compadd is given inside a real line editor ---------------------------------

case_zsh() {
  need zsh
  cat >"$SANDBOX/capture.zsh" <<'ZSH'
# Types $1 and a tab at a zsh in a terminal of its own; prints what compadd got.
zmodload zsh/zpty
out=$(mktemp)
zpty shell "TERM=dumb PS1= zsh -f -i"
{
  print -r -- 'autoload -Uz compinit; compinit -u -D; source <(onelane completion zsh)'
  print -r -- 'compadd() { local -a found; if (( ${@[(I)-[OAD]]} )); then builtin compadd "$@"; return; fi'
  print -r -- "builtin compadd -O found \"\$@\"; print -rl -- \$found >>$out; builtin compadd \"\$@\" }"
  print -r -- "finish() { zle complete-word; print -r -- '<end>' >>$out }; zle -N finish"
  print -r -- "bindkey '^I' finish; print -r -- '<ready>' >>$out"
} | while IFS= read -r line; do zpty -w shell $line; done
wait_for() {
  local -i try
  for ((try = 0; try < 1000; ++try)); do
    grep -qxF -e $1 $out && return
    zpty -rt shell line 2>/dev/null
    sleep 0.02
  done
  print -u2 "zsh did not get to $1"
  return 1
}
wait_for '<ready>' && : >$out && zpty -w -n shell "$1"$'\t' && wait_for '<end>'
zpty -d shell
grep -vxF -e '<end>' $out
rm -f $out
ZSH
  expect_in_any_shell
  expect 'onelane init --limits=' seeds
}

# --- What the hidden verb prints -----------------------------------------------------------

case_offers() {
  local kind text
  for kind in ids running waiting tools settings topics nonsense; do
    text=$(cd / && onelane __complete "$kind" 2>&1) || fail "$kind fails outside a project"
    [[ $text != *onelane:* ]] || fail "$kind says something outside a project: $text"
    ! onelane __complete "$kind" | grep -q $'\e' || fail "$kind prints an escape sequence"
  done
  onelane __complete ids | grep -qP "^$RUNNING\trunning: sh -c " || fail 'ids does not say what runs'
  onelane __complete ids | grep -qP '\tended: true$' || fail 'ids does not say what has ended'
  onelane __complete tools | grep -q 'pwned' && fail 'a word that is more than a word is offered'
  onelane __complete settings | grep -qP '^timeout\t.' || fail 'settings does not know timeout'
}

# --- Manual pages ---------------------------------------------------------------------------

case_man() {
  need groff
  need mandoc
  need lowdown
  local page name verb
  for page in "$ROOT"/docs/*.md; do
    name=$(basename "$page" .md)
    "$ROOT/install/man/render.sh" man "$BINARY" "$page" >"$SANDBOX/$name"
    groff -k -t -ww -z -man -Tutf8 "$SANDBOX/$name" 2>&1 | diff - /dev/null
    mandoc -T lint -W warning "$SANDBOX/$name" | diff - /dev/null
    ! "$BINARY" __man "$page" | grep -n '^<!-- [A-Z]' || fail "$name has a mark that was not filled in"
    mandoc -T utf8 -O width=80 "$SANDBOX/$name" | col -bx >"$SANDBOX/$name.txt"
    grep -q "^ *${name%.*} . " "$SANDBOX/$name.txt" || fail "$name does not begin with its name"
    "$ROOT/install/man/render.sh" html "$BINARY" "$page" >"$SANDBOX/$name.html"
    ! grep -n 'href="[a-z.0-9-]*\.md' "$SANDBOX/$name.html" || fail "$name links to a source"
  done
  for verb in $(onelane help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
    grep -q "onelane $verb" "$SANDBOX/onelane.1.txt" || fail "onelane(1) lacks $verb"
  done
  for verb in run queue; do
    grep -q "^   onelane $verb" "$SANDBOX/onelane-$verb.1.txt" || fail "onelane-$verb(1) lacks $verb"
  done
  (cd / && onelane settings) | sed 's/=.*//' | grep -v '^tools\.' | while read -r verb; do
    grep -qE "^ +$verb( |\$)" "$SANDBOX/onelane.toml.5.txt" || fail "onelane.toml(5) lacks $verb"
  done
}

case_help() {
  [[ $(onelane) == "$(onelane help)" && $(onelane help) == "$(onelane --help)" ]] || fail 'three overviews'
  [[ $(onelane help stop) == "$(onelane stop --help)" ]] || fail 'help stop is not stop --help'
  onelane help TIMEOUT | grep -q '^timeout: ' || fail 'help TIMEOUT tells nothing'
  [[ $(onelane stauts 2>&1) == *'did you mean `onelane status`?'* ]] || fail 'stauts suggests nothing'
  [[ $(onelane help xyzzy 2>&1) != *'did you mean'* ]] || fail 'xyzzy suggests something'
  ! onelane help xyzzy 2>/dev/null || fail 'help xyzzy succeeds'
}

SHELL_UNDER_TEST=${1-}
[[ $(type -t "case_${1-}") == function ]] || fail 'usage: completion_test.sh bash|zsh|fish|offers|man|help'
write_project
"case_$1"
close_project
echo "ok    $1"
