# shellcheck shell=bash
# shellcheck disable=SC2016  # texts for other shells
# Cases of real_tools.sh: commits through the hooks that `onelane init` writes for pre-commit, husky
# and lefthook, with the GIT_* that git itself sets.

# hooked_project NAME [FIXTURE]: its `make check` tells what it sees, calls two shims below itself,
# one of which writes the index, and fails on request.
hooked_project() {
  project "$@"
  printf '%s\n' 'check:' $'\t@echo "check by $$(command -v make)" >>$(TRACE)' \
    $'\t@git diff --cached --name-only | sed "s/^/staged /" >>$(TRACE)' \
    $'\t@$$(command -v make) --no-print-directory below' $'\t@test -z "$$FAIL"' \
    'below:' $'\t@git add --update a.txt && echo below >>$(TRACE)' >Makefile
  touch a.txt b.txt c.txt
  SHIMS=$PWD/.onelane/bin
}

commit_before_hooks() {
  git add . && PATH=$DIRECT_PATH git commit --quiet --no-verify -m "$1" || exit 1
}

# init_says LINE OPTION: init prints a line that begins with LINE.
init_says() {
  local said
  said=$("$ONELANE_BINARY" init "$2") || fail "init $2 failed: $said"
  grep -q "^$1" <<<"$said" || fail "init $2 does not say '$1': $said"
}

# one_run CODE COMMAND...: it ends soon and with CODE; its hook found the shims; all of it is one
# run, that of git, and the lane is free afterwards.
one_run() {
  local want=$1 status lines=0 journal
  shift
  journal=$(git rev-parse --absolute-git-dir)/onelane/runs.jsonl
  [[ ! -f $journal ]] || lines=$(wc -l <"$journal")
  : >"$TRACE"
  timeout 90 "$@" >"$PLACE/commit.log" 2>&1
  status=$?
  [[ $status == "$want" ]] || fail "$*: exit $status: $(<"$PLACE/commit.log")"
  [[ $(wc -l <"$journal") == $((lines + 1)) ]] || fail "$*: no single run: $(tail -n 3 "$journal")"
  tail -n 1 "$journal" | grep -q '"commit"' || fail "$*: the run is not git's: $(tail -n 1 "$journal")"
  [[ $(grep -c '^check by' "$TRACE") == 1 ]] || fail "$*: the hook did not run once"
  traced "check by $SHIMS/make" || fail "$*: the hook did not find the shims"
  traced below || fail "$*: the calls below the hook did not pass"
  onelane status --json | grep -q '"holder":null' || fail "$*: the lane is not free"
}

# changed WHERE FILES: of the last commit (HEAD), the index or the work tree.
changed() {
  local files
  case $1 in
    commit) files=$(git show --name-only --format= HEAD) ;;
    index) files=$(git diff --cached --name-only) ;;
    tree) files=$(git diff --name-only) ;;
  esac
  [[ $(paste -sd' ' <<<"$files") == "$2" ]] || fail "in the $1: '$files' instead of '$2'"
}

# staged FILES: what the hook saw in the index that git gave it.
staged() {
  [[ $(sed -n 's/^staged //p' "$TRACE" | paste -sd' ') == "$1" ]] ||
    fail "the hook saw another index than '$1'"
}

commits_of_each_kind() {
  echo one | tee -a a.txt >>b.txt
  one_run 0 git commit --quiet --all -m 'All'
  staged 'a.txt b.txt'
  changed commit 'a.txt b.txt'
  changed index ''
  # A path: git's hooks see a temporary index.
  echo two | tee -a a.txt >>b.txt
  git add b.txt
  one_run 0 git commit --quiet -m 'Path' a.txt
  staged a.txt
  changed commit a.txt
  changed index b.txt
  local head
  head=$(git rev-parse HEAD)
  FAIL=1 one_run 1 git commit --quiet -m 'Refused'
  [[ $(git rev-parse HEAD) == "$head" ]] || fail 'a failing hook let the commit pass'
  changed index b.txt
  echo three >>c.txt
  one_run 0 git commit --quiet -m 'Index'
  changed commit b.txt
  changed tree c.txt
  git checkout --quiet c.txt
}

# An editor's git, without the shims on PATH: the hook brings them, and its command takes the lane.
commit_without_shims() {
  local journal lines
  journal=$(git rev-parse --absolute-git-dir)/onelane/runs.jsonl
  lines=$(wc -l <"$journal")
  echo more >>b.txt  # lefthook leaves out a commit without files
  : >"$TRACE"
  PATH=$DIRECT_PATH git commit --quiet --all -m 'By the editor' >"$PLACE/commit.log" 2>&1 ||
    fail "$(<"$PLACE/commit.log")"
  traced "check by $SHIMS/make" || fail 'the hook did not find the shims'
  [[ $(wc -l <"$journal") == $((lines + 1)) ]] || fail 'make check was no run'
  tail -n 1 "$journal" | grep -q '"check"' || fail 'make check was no run'
}

# No tree has shims: the check runs all the same. pre-commit shows what a hook says when it fails.
commit_without_any_shims() {
  mv "$SHIMS" "$SHIMS.away"
  echo unqueued >>b.txt
  : >"$TRACE"
  PATH=$DIRECT_PATH git commit --quiet --all -m 'Unqueued' >"$PLACE/commit.log" 2>&1 ||
    fail "$(<"$PLACE/commit.log")"
  traced "check by $(PATH=$DIRECT_PATH command -v make)" || fail 'the check did not run'
  echo refused >>b.txt
  FAIL=1 PATH=$DIRECT_PATH git commit --quiet --all -m 'Refused' >"$PLACE/commit.log" 2>&1 &&
    fail 'a failing hook let the commit pass'
  [[ $(grep -c 'onelane: no .onelane/bin in this work tree or the main one' "$PLACE/commit.log") == 1 ]] ||
    fail "the hook does not say in one line that it has no shims: $(<"$PLACE/commit.log")"
  mv "$SHIMS.away" "$SHIMS"
}

case_hooks_pre_commit() {
  need pre-commit
  hooked_project shop
  init_says 'wrote     .pre-commit-config.yaml' --pre-commit
  commit_before_hooks 'Check'
  pre-commit install >/dev/null || fail 'pre-commit install failed'
  pre-commit validate-config || fail 'pre-commit refuses the config'
  commits_of_each_kind
  commit_without_shims
  git worktree add --quiet ../annex && cd ../annex || exit 1
  commits_of_each_kind
  commit_without_shims
  commit_without_any_shims
}

case_hooks_husky() {
  need npm
  hooked_project shop husky
  local own
  own=$(<.husky/pre-commit)
  init_says 'kept      .husky/pre-commit' --husky
  [[ $(<.husky/pre-commit) == "$own" ]] || fail 'the own hook was changed'
  rm .husky/pre-commit
  init_says 'wrote     .husky/pre-commit' --husky
  commit_before_hooks 'Check'
  npm run --silent prepare || fail 'husky did not set itself up'
  [[ $("$ONELANE_BINARY" init --husky) == 'already   .husky/pre-commit' ]] ||
    fail 'something is left to do'
  commits_of_each_kind
  commit_without_shims
  git worktree add --quiet ../annex && cd ../annex || exit 1
  ln -s ../shop/node_modules node_modules
  npm run --silent prepare || fail 'husky did not set itself up in the annex'
  commits_of_each_kind
  commit_without_shims
  commit_without_any_shims
}

case_hooks_lefthook() {
  need npm
  hooked_project shop lefthook
  init_says 'wrote     lefthook.yml' --lefthook
  commit_before_hooks 'Check'
  node_modules/.bin/lefthook install >/dev/null || fail 'lefthook install failed'
  node_modules/.bin/lefthook validate || fail 'lefthook refuses the config'
  commits_of_each_kind
  commit_without_shims
  git worktree add --quiet ../annex && cd ../annex || exit 1
  ln -s ../shop/node_modules node_modules
  commits_of_each_kind
  commit_without_shims
  commit_without_any_shims
}
