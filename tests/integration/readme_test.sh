#!/usr/bin/env bash
# Runs every transcript of README.md and the manual (docs/*.md) that is marked
# `<!-- test: NAME -->` and compares what it prints. ONELANE_BINARY names the executable under test.
#
#   tests/integration/readme_test.sh [PAGE...]      these pages, or all of them
#   tests/integration/readme_test.sh --links        every link leads to a file and a heading
#   tests/integration/readme_test.sh --self-test    proves that a wrong transcript or link fails
#
# Each marked block runs in one shell, in a fresh project `shop` that has adopted onelane, or not
# if the mark ends in `(new)`. Its lines with `$ ` are typed in order; the other lines are what
# stdout and stderr print together. Wildcards: `…` inside a line stands for any text, a line that
# is only `…` for any number of lines. After a line with `&` the next one is typed when the
# background command holds the lane, and the block ends when it has ended.
# shellcheck disable=SC2016  # dollars and backticks are for the page
set -euo pipefail

ROOT=$(realpath "$(dirname "$0")/../..")
BINARY=$(realpath "${ONELANE_BINARY:-$ROOT/build/release/onelane}")
export LC_ALL=C.UTF-8
SANDBOX=$(mktemp -d)
trap 'rm -rf "$SANDBOX"' EXIT

# blocks PAGE...: writes each block to a file in $SANDBOX/blocks, named after its mark.
blocks() {
  mkdir -p "$SANDBOX/blocks"
  awk -v folder="$SANDBOX/blocks" '
    /^<!-- test: .* -->$/ { name = $0; sub(/^<!-- test: /, "", name); sub(/ -->$/, "", name); next }
    name != "" && /^```console$/ { inside = 1; next }
    inside && /^```$/ { inside = 0; name = ""; next }
    inside { print > (folder "/" name) }' "$@"
}

# The sample project needs few tools; stand-ins replace those that may not be installed.
write_tools() {
  local name
  mkdir -p "$SANDBOX/tools"
  ln -sf "$BINARY" "$SANDBOX/tools/onelane"
  for name in npm pytest vitest direnv; do
    printf '#!/bin/sh\necho %s\n' "$name" >"$SANDBOX/tools/$name"
    chmod +x "$SANDBOX/tools/$name"
  done
}

# write_project FOLDER: its build takes long enough for another call to wait.
write_project() {
  rm -rf "$1"
  git init --quiet --initial-branch=main "$1"
  printf 'build:\n\t@sleep 2; echo built\ntest:\n\t@echo tested\n' >"$1/Makefile"
  git -C "$1" add Makefile
  git -C "$1" -c user.name=shop -c user.email=shop@localhost commit --quiet -m 'Open the shop'
}

# script_of BLOCK: the commands that are typed.
script_of() {
  local line
  while IFS= read -r line; do
    [[ $line == '$ '* ]] || continue
    line=${line#\$ }
    if [[ $line == *' & '* ]]; then
      printf '%s &\nlane_is_held\n%s\n' "${line%% & *}" "${line#* & }"
    elif [[ $line == *' &' ]]; then
      printf '%s\nlane_is_held\n' "$line"
    else
      printf '%s\n' "$line"
    fi
  done <"$1"
  echo wait
}

lane_is_held() {
  local try
  for try in {1..250}; do
    [[ $(onelane status --json) == *'"holder":null'* ]] || return 0
    sleep 0.02
  done
  echo "no holder after $try looks"
}

# run_block BLOCK NAME: runs the block and prints its output.
run_block() {
  local project=$SANDBOX/shop path=$SANDBOX/tools:/usr/local/bin:/usr/bin:/bin
  write_project "$project"
  if [[ $2 != *'(new)' ]]; then
    (cd "$project" && PATH=$path onelane init >/dev/null)
    path=$project/.onelane/bin:$path
  fi
  { declare -f lane_is_held; script_of "$1"; } >"$SANDBOX/script"
  (cd "$project" && env -i HOME="$SANDBOX" LC_ALL=C.UTF-8 PATH="$path" \
    timeout 60 bash "$SANDBOX/script" </dev/null 2>&1) || true
}

# matches EXPECTED_LINE ACTUAL_LINE
matches() {
  local pattern
  pattern=$(sed 's/[^[:alnum:]…]/\\&/g; s/…/*/g' <<<"$1")
  # shellcheck disable=SC2053  # a pattern is what it is
  [[ $2 == $pattern ]]
}

# compare EXPECTED ACTUAL (files): true when every line matches.
compare() {
  local expected actual i j=0
  mapfile -t expected < <(grep -v '^\$ ' "$1" || true)
  mapfile -t actual <"$2"
  for ((i = 0; i < ${#expected[@]}; ++i)); do
    if [[ ${expected[i]} == '…' ]]; then
      while ((j < ${#actual[@]})) && { ((i + 1 == ${#expected[@]})) ||
        ! matches "${expected[i + 1]}" "${actual[j]}"; }; do
        ((++j))
      done
      continue
    fi
    ((j < ${#actual[@]})) && matches "${expected[i]}" "${actual[j]}" || return 1
    ((++j))
  done
  ((j == ${#actual[@]}))
}

# check PAGE...: true when there is a marked block and every one prints what it says.
check() {
  local block name failed=0 count=0
  rm -rf "$SANDBOX/blocks"
  blocks "$@"
  for block in "$SANDBOX"/blocks/*; do
    [[ -f $block ]] || continue
    name=$(basename "$block")
    # Read to the end of file: commands left in the background print as well.
    run_block "$block" "$name" | timeout 90 cat >"$SANDBOX/actual" || true
    ((++count))
    if compare "$block" "$SANDBOX/actual"; then
      echo "ok    $name"
    else
      failed=1
      echo "FAIL  $name: the page says"
      sed 's/^/        /' "$block"
      echo '      and this is printed'
      sed 's/^/        /' "$SANDBOX/actual"
    fi
  done
  ((count > 0 && failed == 0))
}

# anchors PAGE: its headings as GitHub and lowdown name them.
anchors() {
  sed -n 's/^#\+ //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 -]//g; s/ /-/g'
}

# links PAGE...: true when the target of every link exists.
links() {
  local page link file failed=0
  for page in "$@"; do
    while IFS= read -r link; do
      file=$page
      [[ $link == '#'* ]] || file=$(dirname "$page")/${link%%#*}
      if [[ ! -e $file ]]; then
        echo "$page: no file $link"
        failed=1
      elif [[ $link == *'#'* ]] && ! anchors "$file" | grep -qxF -e "${link#*#}"; then
        echo "$page: no heading $link"
        failed=1
      fi
    done < <(grep -o '](\([^()]*\))' "$page" | sed 's/^](//; s/)$//' | grep -v '^https\?:' || true)
  done
  ((failed == 0))
}

self_test() {
  printf '<!-- test: right -->\n```console\n$ make test\n…ted\n$ echo a; echo b\n…\n```\n' >"$SANDBOX/right.md"
  printf '<!-- test: wrong -->\n```console\n$ make test\npassed\n```\n' >"$SANDBOX/wrong.md"
  printf '<!-- test: more -->\n```console\n$ make test\n```\n' >"$SANDBOX/more.md"
  printf '<!-- test: less -->\n```console\n$ make test\ntested\ntwice\n```\n' >"$SANDBOX/less.md"
  printf 'no transcript\n' >"$SANDBOX/none.md"
  check "$SANDBOX/right.md" || return 1
  local wrong
  for wrong in wrong more less none; do
    if check "$SANDBOX/$wrong.md" >/dev/null 2>&1; then
      echo "readme_test: $wrong.md should fail"
      return 1
    fi
  done
  printf '# A page\n[a](#a-page) [b](right.md) [c](https://example.com)\n' >"$SANDBOX/good.md"
  links "$SANDBOX/good.md" || return 1
  for wrong in '#b-page' gone.md right.md#there; do
    printf '# A page\n[a](%s)\n' "$wrong" >"$SANDBOX/bad.md"
    if links "$SANDBOX/bad.md" >/dev/null; then
      echo "readme_test: a link to $wrong should fail"
      return 1
    fi
  done
}

write_tools
PAGES=("$ROOT"/README.md "$ROOT"/docs/*.md)
case ${1-} in
  --self-test) self_test ;;
  --links) links "${PAGES[@]}" "$ROOT/CONTRIBUTING.md" ;;
  '') check "${PAGES[@]}" ;;
  *) check "$@" ;;
esac
