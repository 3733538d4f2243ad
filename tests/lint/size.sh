#!/usr/bin/env bash
# Fails on a C++ file of more than 600 lines.
#
#   tests/lint/size.sh [ROOT]        checks the tree at ROOT (default: this one)
#   tests/lint/size.sh --self-test   proves that it can fail
set -euo pipefail

LIMIT=600

# check_tree ROOT: true when no file is longer; prints those that are.
check_tree() {
  local file lines failed=0
  while IFS= read -r -d '' file; do
    lines=$(wc -l <"$file")
    if ((lines > LIMIT)); then
      echo "${file#"$1"/}: $lines lines, at most $LIMIT"
      failed=1
    fi
  done < <(find "$1" -regextype posix-extended \
    -regex "$1/(core|shims|multicall|tests)/.*\.[ch]pp" -print0)
  return "$failed"
}

self_test() {
  local tree
  tree=$(mktemp -d)
  # shellcheck disable=SC2064  # the path as it is now
  trap "rm -rf '$tree'" EXIT
  mkdir "$tree/core"
  seq "$LIMIT" >"$tree/core/fits.cpp"
  check_tree "$tree" || return 1
  seq $((LIMIT + 1)) >"$tree/core/long.cpp"
  ! check_tree "$tree" >/dev/null
}

if [[ ${1-} == --self-test ]]; then
  self_test
else
  check_tree "$(realpath "${1:-$(dirname "$0")/../..}")"
fi
