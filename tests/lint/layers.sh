#!/usr/bin/env bash
# Fails on an include that points the wrong way through the layers:
#
#   multicall -> shims, core/*       core/X -> core/X, core/sys
#   shims     -> shims, std only     tests  -> everything
#   CLI11     <- multicall/commands/options.cpp alone: its headers run code at each start
#
#   tests/lint/layers.sh [ROOT]        checks the tree at ROOT (default: this one)
#   tests/lint/layers.sh --self-test   proves that each rule can fail
set -euo pipefail

# Prints one line a fault: FILE:LINE: LAYER may not include TARGET.
faults_in() {
  local root=$1
  # shellcheck disable=SC2016  # the dollars are awk's
  find "$root" -regextype posix-extended -regex "$root/(core|shims|multicall|tests)/.*\.[ch]pp" \
    -print0 |
    sort -z |
    xargs -0 -r awk -v root="$root/" '
      FNR == 1 {
        file = substr(FILENAME, length(root) + 1)
        layer = layer_of(file)
      }
      function layer_of(path, parts) {
        split(path, parts, "/")
        return parts[1] == "core" ? parts[1] "/" parts[2] : parts[1]
      }
      function allowed(from, to) {
        if (from == "tests" || from == to) return 1
        if (from == "multicall") return to == "shims" || to ~ /^core\//
        return from ~ /^core\// && to == "core/sys"
      }
      function fault(target) {
        printf "%s:%d: %s may not include %s\n", file, FNR, layer, target
      }
      /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        target = quoted[2]
        # A path that does not name its folder from the root hides its layer.
        if (target !~ /^(core\/[a-z]+|shims|multicall|tests)\// || target ~ /\.\./)
          fault("\"" target "\", write it from the root")
        else if (!allowed(layer, layer_of(target)))
          fault(target)
      }
      layer == "shims" && /^[ \t]*#[ \t]*include[ \t]*</ {
        target = $0
        sub(/^[^<]*</, "", target)
        sub(/>.*/, "", target)
        if (target !~ /^[a-z_0-9]+$/) fault("<" target ">, only the standard library")
      }
      /^[ \t]*#[ \t]*include[ \t]*[<"]CLI\// && file != "multicall/commands/options.cpp" {
        fault("CLI11, only multicall/commands/options.cpp may")
      }'
}

# check_tree ROOT: true when it is clean.
check_tree() {
  local faults
  faults=$(faults_in "$1")
  [[ -z $faults ]] && return
  echo "$faults"
  return 1
}

# plant EXPECTED FILE INCLUDE: a tree with one include, clean (ok) or not (bad).
plant() {
  local expected=$1 file=$2 include=$3 tree answer=ok
  tree=$(mktemp -d)
  mkdir -p "$tree/$(dirname "$file")"
  printf '#include <string>\n#include %s\n' "$include" >"$tree/$file"
  check_tree "$tree" >/dev/null || answer=bad
  rm -rf "$tree"
  if [[ $answer != "$expected" ]]; then
    echo "layers: $file including $include should be $expected, is $answer"
    return 1
  fi
}

self_test() {
  local failed=0
  while read -r expected file include; do
    plant "$expected" "$file" "$include" || failed=1
  done <<'CASES'
ok  multicall/main.cpp         "core/lane/mutex.hpp"
ok  multicall/main.cpp         "shims/shim.hpp"
ok  multicall/commands/run.cpp "multicall/dispatch.hpp"
ok  core/lane/mutex.cpp        "core/lane/mutex.hpp"
ok  core/lane/mutex.cpp        "core/sys/error.hpp"
ok  core/lane/mutex.cpp        <boost/interprocess/sync/file_lock.hpp>
ok  shims/git.cpp              "shims/shim.hpp"
ok  tests/unit/a_test.cpp      "multicall/dispatch.hpp"
ok  multicall/commands/options.cpp <CLI/CLI.hpp>
bad multicall/commands/run.cpp <CLI/CLI.hpp>
bad tests/unit/a_test.cpp      <CLI/App.hpp>
bad core/sys/error.cpp         "core/lane/mutex.hpp"
bad core/lane/mutex.cpp        "core/process/launch.hpp"
bad core/process/launch.cpp    "core/lane/mutex.hpp"
bad core/lane/mutex.cpp        "shims/shim.hpp"
bad core/lane/mutex.cpp        "multicall/dispatch.hpp"
bad core/lane/mutex.cpp        "tests/support/sandbox.hpp"
bad shims/git.cpp              "core/sys/error.hpp"
bad shims/git.cpp              "multicall/dispatch.hpp"
bad shims/git.cpp              <unistd.h>
bad shims/git.cpp              <boost/process.hpp>
bad multicall/main.cpp         "tests/support/sandbox.hpp"
bad core/lane/mutex.cpp        "mutex.hpp"
bad core/lane/mutex.cpp        "core/lane/../process/launch.hpp"
CASES
  return "$failed"
}

if [[ ${1-} == --self-test ]]; then
  self_test
else
  check_tree "$(realpath "${1:-$(dirname "$0")/../..}")"
fi
