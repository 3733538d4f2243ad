#!/usr/bin/env bash
# Fails on a C++ file of more than 600 lines, and on a function of the product of more than 60: only
# the sequence of one call, which is to be read in one piece, may have up to 120.
#
#   tests/lint/size.sh [ROOT]        checks the tree at ROOT (default: this one)
#   tests/lint/size.sh --self-test   proves that it can fail
set -euo pipefail

FILE_LIMIT=600
FUNCTION_LIMIT=60
SEQUENCE='multicall/shim/run_call.cpp'
SEQUENCE_LIMIT=120

# cpp_files ROOT FOLDERS: a pattern of folders below it.
cpp_files() {
  find "$1" -regextype posix-extended -regex "$1/($2)/.*\.[ch]pp" -print0
}

# long_files ROOT: prints those that are too long.
long_files() {
  local file lines
  while IFS= read -r -d '' file; do
    lines=$(wc -l <"$file")
    ((lines <= FILE_LIMIT)) || echo "${file#"$1"/}: $lines lines, at most $FILE_LIMIT"
  done < <(cpp_files "$1" 'core|shims|multicall|tests')
}

# long_functions ROOT: by their indentation, which clang-format sees to: a body opens behind a line
# at column 0 or 2 and ends with the next `}` there.
long_functions() {
  # shellcheck disable=SC2016  # the dollars are awk's
  cpp_files "$1" 'core|shims|multicall' | xargs -0 -r awk -v root="$1/" -v usual="$FUNCTION_LIMIT" \
    -v sequence="$SEQUENCE" -v longest="$SEQUENCE_LIMIT" '
    FNR == 1 { open = 0; file = substr(FILENAME, length(root) + 1) }
    !open && /^(  )?[^ \t#\/}].*\{$/ &&
      !/^ *(namespace|class|struct|enum|union|extern|switch|if|for|while|else|constexpr|inline constexpr|static constexpr)/ {
      match($0, /^ */); indent = RLENGTH; start = FNR; open = 1
      next
    }
    open && /^ *\}/ && match($0, /^ */) && RLENGTH == indent {
      limit = file == sequence ? longest : usual
      if (FNR - start + 1 > limit)
        printf "%s:%d: a function of %d lines, at most %d\n", file, start, FNR - start + 1, limit
      open = 0
    }'
}

# check_tree ROOT: true when nothing is longer; prints what is.
check_tree() {
  local faults
  faults=$(long_files "$1"; long_functions "$1")
  [[ -z $faults ]] && return
  echo "$faults"
  return 1
}

self_test() {
  local tree
  tree=$(mktemp -d)
  # shellcheck disable=SC2064  # the path as it is now
  trap "rm -rf '$tree'" EXIT
  mkdir "$tree/core"
  seq "$FILE_LIMIT" >"$tree/core/fits.cpp"
  { echo 'int fits() {'; seq 2 $((FUNCTION_LIMIT - 1)); echo '}'; } >"$tree/core/function.cpp"
  check_tree "$tree" || return 1
  seq $((FILE_LIMIT + 1)) >"$tree/core/long.cpp"
  ! check_tree "$tree" >/dev/null || return 1
  rm "$tree/core/long.cpp"
  { echo 'int is_long() {'; seq 2 "$FUNCTION_LIMIT"; echo '}'; } >"$tree/core/function.cpp"
  ! check_tree "$tree" >/dev/null
}

if [[ ${1-} == --self-test ]]; then
  self_test
else
  check_tree "$(realpath "${1:-$(dirname "$0")/../..}")"
fi
