#!/usr/bin/env bash
# Fails on a .cpp file that no target builds, or that stands twice in the list of a target. A test
# whose line is lost in a merge would be gone without a word.
#
#   tests/lint/sources.sh ROOT LIST    LIST: a line for each, TARGET FILE, as CMake knows
#   tests/lint/sources.sh --self-test  proves that it can fail
set -euo pipefail

# check ROOT LIST: true when each file is built by one target.
check() {
  local root=$1 list=$2 file failed=0
  while IFS= read -r file; do
    echo "$file: built by no target"
    failed=1
  done < <(comm -23 <(find "$root"/{core,shims,multicall,tests} -name '*.cpp' \
    ! -path '*/tests/fuzz/*' | sort) <(cut -d" " -f2 "$list" | sort -u))
  while IFS= read -r file; do
    echo "$file: stands twice in the list of its target"
    failed=1
  done < <(sort "$list" | uniq -d)
  return "$failed"
}

self_test() {
  local tree
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' RETURN
  mkdir -p "$tree"/{core,shims,multicall,tests}
  touch "$tree/core/a.cpp" "$tree/tests/b_test.cpp"
  printf 'a %s\n' "$tree"/{core/a,tests/b_test}.cpp >"$tree/all"
  check "$tree" "$tree/all" || return 1
  head -1 "$tree/all" >"$tree/lost"
  ! check "$tree" "$tree/lost" >/dev/null || return 1
  cat "$tree"/{all,lost} >"$tree/twice"
  ! check "$tree" "$tree/twice" >/dev/null
}

if [[ ${1-} == --self-test ]]; then
  self_test
else
  check "$(realpath "$1")" "$2"
fi
