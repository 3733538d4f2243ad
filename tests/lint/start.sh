#!/usr/bin/env bash
# Fails where an executable prepares <iostream> before main(): eight streams and a locale, a tenth
# of a call that passes. A header that includes <iostream> is enough to bring that back.
#
#   tests/lint/start.sh EXECUTABLE
#   tests/lint/start.sh --self-test   proves that it can fail
set -euo pipefail

# prepares_streams EXECUTABLE: true when it does. `Init` is what each such file runs at its start.
prepares_streams() {
  local symbols
  symbols=$(nm "$1")
  [[ $symbols == *_ZNSt8ios_base4InitC1Ev* ]]
}

self_test() {
  local folder include
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' RETURN
  for include in iostream string; do
    printf '#include <%s>\nint main() {}\n' "$include" >"$folder/main.cpp"
    "${CXX:-c++}" "$folder/main.cpp" -o "$folder/$include"
  done
  if ! prepares_streams "$folder/iostream"; then
    echo "start: the streams of this compiler need no look"
    return 125
  fi
  if prepares_streams "$folder/string"; then
    echo "start: <string> should prepare nothing"
    return 1
  fi
}

if [[ ${1-} == --self-test ]]; then
  self_test
elif prepares_streams "$1"; then
  echo "$1 prepares <iostream> before main(): a header that it includes does"
  exit 1
fi
