# shellcheck shell=bash
# shellcheck disable=SC2016  # texts for other programs
# Cases of real_tools.sh: `onelane run --atoms` says and does the same as the whole command.

# plant EXTENSION BAD GOOD: files below src, with names that need care, that the index knows, does
# not know or must not know.
plant() {
  local name
  mkdir -p src/.hidden 'src/a space' src/build src/skipped src/deep/deeper
  for name in one 'a space/two words' .hidden/three build/four skipped/five -dash '!bang' \
    "quote'\"s" 'dollar$(x)' '[brackets]' ünicode; do
    printf '%b' "$2" >"src/$name.$1"
  done
  for name in good deep/good deep/deeper/good; do
    printf '%b' "$3" >"src/$name.$1"
  done
  git add . && git commit --quiet --message 'Plant files' || exit 1
  printf '%b' "$2" >"src/untracked.$1"
  printf '%b' "$2" >"top.$1"
  printf '%b' "$2" >"-top.$1"
}

# judgements: the lines about files, without times; those that sum up a call come once a part.
judgements() {
  grep -vE '^(All done!|No Python files|Oh no!|[0-9]+ files? |[.FEsxX]+ +\[ *[0-9]+%\]|[0-9]+ (failed|passed|skipped)|no tests ran|Checking formatting|All matched files|For more information:|Skipped [0-9]+ files|.*(Code style issues|Error occurred when checking|ESLint found too many|✖ [0-9]+ problem|potentially fixable| wiki/SC|shellcheck.net/wiki)|=+ .* =+$|$)' |
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+ \+0000/TIME/' | sort
}

# told COMMAND...: its judgements, then its exit code.
told() {
  local status
  "$@" >"$PLACE/told" 2>&1
  status=$?
  judgements <"$PLACE/told"
  echo "exit $status"
}

# as_whole FEWEST COMMAND...: in parts of one file (or FEW, where starting it is slow) and of as
# many as it likes, the command tells and leaves behind what it does as a whole; that is FEWEST
# judgements at least.
FEW=1
as_whole() {
  local fewest=$1 size count options
  shift
  rm -rf "$PLACE/before" "$PLACE/after"
  cp -a . "$PLACE/before"
  told "$@" >"$PLACE/whole"
  (($(wc -l <"$PLACE/whole") > fewest)) || fail "$* tells too little: $(<"$PLACE/whole")"
  cp -a . "$PLACE/after"
  for size in "$FEW" default; do
    find . -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    cp -a "$PLACE/before/." .
    options=(--atoms)
    [[ $size == default ]] || options+=(--atom-size "$size")
    [[ $1 == pytest ]] && options[0]=--atoms=pytest-file
    count=$(onelane run "${options[@]}" --explain --json -- "$@" | jq '.commands | length')
    [[ $size == default ]] || ((count > 1)) || fail "$*: $count commands by $size"
    told onelane run "${options[@]}" -- "$@" >"$PLACE/atoms"
    diff "$PLACE/whole" "$PLACE/atoms" || fail "$* by $size: another result"
    diff -r --exclude=.git --exclude=.onelane --exclude=.pytest_cache --exclude='*.pyc' \
      "$PLACE/after" . || fail "$* by $size: other files"
  done
}

# refused WHY COMMAND...: by --atoms, with 64, and nothing has run.
refused() {
  local why=$1 status
  shift
  onelane run --atoms -- "$@" >"$PLACE/told" 2>&1
  status=$?
  [[ $status == 64 ]] || fail "$*: exit $status, $(<"$PLACE/told")"
  grep -qF -- "$why" "$PLACE/told" || fail "$*: $(<"$PLACE/told")"
}

readonly BAD_PYTHON='import sys\nimport os\nx = {  1:2 }\n' GOOD_PYTHON='import os\n'

case_atoms_black() {
  FEW=3
  need black
  project shop
  plant py "$BAD_PYTHON" "$GOOD_PYTHON"
  printf '%b' "$BAD_PYTHON" >$'src/new\nline.py'
  mkdir inner && printf '%b' "$BAD_PYTHON" >inner/one.py
  as_whole 8 black --check --workers 1 .
  as_whole 8 black --workers 1 -q --diff src top.py
  as_whole 2 black --check --workers 1 --exclude 'space|quote' -- src -top.py
  printf '[tool.black]\nline-length = 10\n' >inner/pyproject.toml
  refused 'would count for a part' black --check src inner
  as_whole 8 black --check --workers 1 --config inner/pyproject.toml src inner
  as_whole 0 black --workers 1 --quiet src top.py
  printf '[tool.black]\ninclude = "x"\n' >pyproject.toml
  refused '`include`' black --check src
}

case_atoms_isort() {
  FEW=3
  need isort
  project shop
  plant py "$BAD_PYTHON" "$GOOD_PYTHON"
  printf '#!/usr/bin/env python3\n%b' "$BAD_PYTHON" >src/script
  mkdir inner && printf '%b' "$BAD_PYTHON" >inner/one.py
  printf '[settings]\nforce_sort_within_sections=true\nknown_third_party=os\n' >inner/.isort.cfg
  as_whole 8 isort --check-only .
  as_whole 3 isort --check-only inner src top.py
  as_whole 0 isort --quiet src top.py
  as_whole 8 isort --check-only --profile black --settings-path inner src
  printf '%b' "$BAD_PYTHON" >$'src/new\nline.py'
  refused 'is not a file below' isort --check-only src
}

case_atoms_yamllint() {
  FEW=3
  need yamllint
  project shop
  plant yaml 'a:  1\n' -- '---\na: 1\n'
  printf 'extends: default\nignore: src/skipped/\n' >.yamllint
  as_whole 20 yamllint .
  as_whole 10 yamllint -f parsable src top.yaml
  as_whole 3 yamllint -d relaxed 'src/a space' src/one.yaml src/deep
}

case_atoms_jq() {
  need jq
  project shop
  plant json '{"a": [1, 2]}\n' '{"a": 3}'
  as_whole 8 jq -c --arg name value '[.a, $name, input_filename]' src/*.json src/deep/*.json
  as_whole 2 jq . -- src/-dash.json -top.json top.json
}

case_atoms_shellcheck() {
  need shellcheck
  project shop
  plant sh '#!/bin/sh\n. ./src/good.sh\necho $used $1\n' '#!/bin/sh\nused=1\n'
  as_whole 8 shellcheck -x -f gcc src/*.sh src/*/*.sh
  as_whole 8 shellcheck --external-sources --severity info src/*.sh ./-top.sh
  refused 'without `-x`' shellcheck src/one.sh src/good.sh
}

case_atoms_xmllint() {
  need xmllint
  project shop
  plant xml '<a><b></a>\n' '<a/>\n'
  as_whole 8 xmllint --noout src/*.xml src/*/*.xml
  as_whole 3 xmllint -format src/good.xml src/deep/good.xml src/deep/deeper/good.xml
}

case_atoms_eslint() {
  FEW=4
  project shop linters
  mv node_modules "$PLACE" && PATH=$PLACE/node_modules/.bin:$PATH
  plant js 'let a = 1 == 2\n' 'let b = 1;\n'
  printf 'let a = 1\n' | tee src/page.view src/page.unknown >/dev/null
  ln -s one.js src/link.js
  as_whole 10 eslint -f stylish .
  as_whole 10 eslint --max-warnings 0 src top.js src/skipped/five.js
  as_whole 0 eslint --fix --quiet src top.js
}

case_atoms_prettier() {
  FEW=4
  project shop linters
  mv node_modules "$PLACE" && PATH=$PLACE/node_modules/.bin:$PATH
  plant js 'let a  =  1\n' 'let b = 1;\n'
  printf '#!/usr/bin/env node\nlet a  = 1\n' >src/script
  printf 'a  b\n' | tee src/text.unknown src/page.css src/page.json >/dev/null
  ln -s one.js src/link.js
  as_whole 8 prettier --check .
  as_whole 8 prettier --list-different src top.js src/skipped/five.js
  as_whole 0 prettier --write --log-level silent src top.js
}

case_atoms_pytest() {
  need pytest
  project shop
  mkdir -p tests/deep tests/build
  printf 'def test_%s():\n    assert 1 == %s\n' good 1 | tee tests/test_good.py \
    tests/deep/test_deep.py tests/build/test_not_taken.py >/dev/null
  printf 'def test_bad():\n    assert 1 == 2\n' >tests/bad_test.py
  printf 'import pytest\npytest.importorskip("no_such_module")\n' >tests/test_skipped.py
  printf 'raise SystemExit(9)\n' >tests/helper.py
  as_whole 1 pytest --quiet --tb=line tests
}
