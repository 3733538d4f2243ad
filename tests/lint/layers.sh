#!/usr/bin/env bash
# Fails on an include that points the wrong way through the layers, inside multicall/ as well:
#
#   core/X    -> core/X, core/sys        shims -> shims, std only
#   multicall -> what the table of rooms below says        tests -> everything
#
#   tests/lint/layers.sh [ROOT]        checks the tree at ROOT (default: this one)
#   tests/lint/layers.sh --self-test   proves that each rule can fail
#   tests/lint/layers.sh --graph       the rooms' includes, with how many there are
set -euo pipefail

# The rooms of multicall/ from the ground up: each may include core/, shims/ and other rooms as its
# row says. A room names those above its own row only, so the graph has no cycle.
ROOMS='
term          core/sys
cli           core/sys  term
context       core shims  term
shim          core shims  term context
view          core        term context
job/capture   core shims  term context shim view
job/coalesce  core shims  term context shim job/capture
job           core shims  term context shim view job/capture job/coalesce
queue         core        term context view
steer         core        term context view cli queue
audit         core shims  term context
init          core shims  term context view cli
doctor        core shims  term context view cli audit init
monitor       core        term context view cli steer
report        core        term context view cli
ci            core        term context view cli queue report
start
verbs         core shims  term context view cli shim job job/capture job/coalesce queue steer audit init doctor monitor report ci
main          core        term context shim job verbs
'

# check_rooms: true when every room names rooms above it only.
check_rooms() {
  awk '
    NF == 0 { next }
    {
      for (i = 2; i <= NF; ++i)
        if ($i !~ /^(core|core\/sys|shims)$/ && !($i in above)) {
          printf "layers: %s names %s, which is not above it\n", $1, $i
          failed = 1
        }
      above[$1] = 1
    }
    END { exit failed }' <<<"$1"
}

# Prints one line a fault: FILE:LINE: LAYER may not include TARGET.
# includes_of ROOT MODE: `faults`, or `edges` between rooms.
includes_of() {
  local root=$1
  # shellcheck disable=SC2016  # the dollars are awk's
  find "$root" -regextype posix-extended -regex "$root/(core|shims|multicall|tests)/.*\.[ch]pp" \
    -print0 |
    sort -z |
    xargs -0 -r awk -v root="$root/" -v rooms="$ROOMS" -v mode="$2" '
      BEGIN {
        count = split(rooms, rows, "\n")
        for (i = 1; i <= count; ++i) {
          fields = split(rows[i], words, " ")
          for (j = 2; j <= fields; ++j) may[words[1], words[j]] = 1
          if (fields > 0) may[words[1], words[1]] = 1
        }
      }
      FNR == 1 {
        file = substr(FILENAME, length(root) + 1)
        layer = layer_of(file)
      }
      # "core/lane", "shims", "tests", or a room: "multicall/job/capture".
      function layer_of(path, name) {
        name = path
        sub(/\/[^\/]*$/, "", name)
        if (path == "multicall/main.cpp") return "multicall/main"
        return name ~ /^tests/ ? "tests" : name
      }
      function room_of(name) { return substr(name, length("multicall/") + 1) }
      function allowed(from, to) {
        if (from == "tests" || from == to) return 1
        if (from ~ /^multicall\//) {
          if (to ~ /^multicall\//) return (room_of(from), room_of(to)) in may
          if (to ~ /^core\//) return (room_of(from), "core") in may || (room_of(from), to) in may
          return (room_of(from), to) in may
        }
        return from ~ /^core\// && to == "core/sys"
      }
      function fault(target) {
        if (mode == "faults") printf "%s:%d: %s may not include %s\n", file, FNR, layer, target
      }
      /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        target = quoted[2]
        # A path that does not name its folder from the root hides its layer.
        if (target !~ /^(core\/[a-z]+|shims|multicall\/[a-z]+|tests)\// || target ~ /\.\./)
          fault("\"" target "\", write it from the root")
        else if (!allowed(layer, layer_of(target)))
          fault(target)
        if (mode == "edges" && layer ~ /^multicall/ && target ~ /^multicall/ &&
            layer != layer_of(target))
          print room_of(layer), "->", room_of(layer_of(target))
      }
      layer == "shims" && /^[ \t]*#[ \t]*include[ \t]*</ {
        target = $0
        sub(/^[^<]*</, "", target)
        sub(/>.*/, "", target)
        if (target !~ /^[a-z_0-9]+$/) fault("<" target ">, only the standard library")
      }
      layer ~ /^multicall/ && !((room_of(layer), room_of(layer)) in may) && FNR == 1 {
        fault("anything: no room of that name is in the table")
      }'
}

# check_tree ROOT: true when it is clean.
check_tree() {
  local faults
  faults=$(includes_of "$1" faults)
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
ok  multicall/main.cpp         "multicall/verbs/table.hpp"
ok  multicall/shim/run.cpp     "core/lane/mutex.hpp"
ok  multicall/shim/run.cpp     "shims/shim.hpp"
ok  multicall/shim/run.cpp     "multicall/context/call.hpp"
ok  multicall/job/retry.cpp    "multicall/shim/run.hpp"
ok  multicall/job/capture/a.cpp "multicall/view/run_view.hpp"
ok  multicall/verbs/run.cpp    "multicall/job/capture/capture.hpp"
ok  core/lane/mutex.cpp        "core/lane/mutex.hpp"
ok  core/lane/mutex.cpp        "core/sys/error.hpp"
ok  core/lane/mutex.cpp        <boost/interprocess/sync/file_lock.hpp>
ok  shims/git.cpp              "shims/shim.hpp"
ok  tests/unit/a_test.cpp      "multicall/verbs/table.hpp"
bad multicall/shim/run.cpp     "multicall/job/retry.hpp"
bad multicall/shim/run.cpp     "multicall/job/capture/capture.hpp"
bad multicall/shim/run.cpp     "multicall/view/run_view.hpp"
bad multicall/view/run_view.cpp "multicall/shim/run.hpp"
bad multicall/view/run_view.cpp "shims/shim.hpp"
bad multicall/term/say.cpp     "core/journal/record.hpp"
bad multicall/term/say.cpp     "multicall/context/call.hpp"
bad multicall/monitor/look.cpp "multicall/verbs/rows.hpp"
bad multicall/cellar/a.cpp     "core/sys/error.hpp"
bad multicall/loose.cpp        "core/sys/error.hpp"
bad core/sys/error.cpp         "core/lane/mutex.hpp"
bad core/lane/mutex.cpp        "core/process/launch.hpp"
bad core/process/launch.cpp    "core/lane/mutex.hpp"
bad core/lane/mutex.cpp        "shims/shim.hpp"
bad core/lane/mutex.cpp        "multicall/shim/run.hpp"
bad core/lane/mutex.cpp        "tests/support/sandbox.hpp"
bad shims/git.cpp              "core/sys/error.hpp"
bad shims/git.cpp              "multicall/shim/run.hpp"
bad shims/git.cpp              <unistd.h>
bad shims/git.cpp              <boost/process.hpp>
bad multicall/main.cpp         "tests/support/sandbox.hpp"
bad core/lane/mutex.cpp        "mutex.hpp"
bad core/lane/mutex.cpp        "core/lane/../process/launch.hpp"
CASES
  if check_rooms $'term core/sys view\nview core term' >/dev/null; then
    echo 'layers: a cycle of rooms should be a fault'
    failed=1
  fi
  return "$failed"
}

case ${1-} in
  --self-test) self_test ;;
  --graph) includes_of "$(realpath "$(dirname "$0")/../..")" edges | sort | uniq -c ;;
  *)
    check_rooms "$ROOMS"
    check_tree "$(realpath "${1:-$(dirname "$0")/../..}")"
    ;;
esac
