# shellcheck shell=bash
# shellcheck disable=SC2016  # texts for other shells
# Cases of real_tools.sh: git, GNU make, pytest and pre-commit.

# --- git --------------------------------------------------------------------------------

case_git_hook_with_make_and_pytest() {
  need pytest
  /usr/bin/python3 -c 'import xdist' 2>/dev/null || skip 'pytest has no xdist'
  project shop pytest
  hook .git/hooks/pre-commit \
    'echo begin commit >>"$TRACE"; make check; pytest -q -n2; until-queued; echo end commit >>"$TRACE"'
  git commit --quiet --allow-empty -m 'Sell' >"$PLACE/commit.log" 2>&1 &
  local commit=$!
  within 20 traced 'begin commit' || fail "the hook never began: $(<"$PLACE/commit.log")"
  make test || fail 'make test failed'
  wait "$commit" || fail "the commit failed: $(<"$PLACE/commit.log")"
  apart commit test
  traced check || fail 'the hook did not run make'
  traced pytest || fail 'the hook did not run pytest'
  [[ $(git log -1 --format=%s) == Sell ]] || fail 'no commit was made'
}

case_git_rebase_exec() {
  project shop
  git commit --quiet --allow-empty -m 'One'
  git commit --quiet --allow-empty -m 'Two'
  waits_for_hold git rebase --quiet --exec 'make check' HEAD~2 2>"$PLACE/rebase.log" ||
    fail "$(<"$PLACE/rebase.log")"
  [[ $(grep -cx check "$TRACE") == 2 ]] || fail 'make check did not run after both commits'
}

case_git_alias() {
  project shop
  waits_for_hold git -c alias.x='!make' x test || fail 'the alias failed'
  apart hold test
}

case_git_in_a_linked_work_tree() {
  project shop
  git worktree add --quiet ../annex
  cd ../annex || exit 1
  hook "$PLACE/shop/.git/hooks/pre-commit" \
    'git rev-parse --git-dir >>"$TRACE"; make check; "$ONELANE_BINARY" status >>"$TRACE"'
  git commit --quiet --allow-empty -m 'From the annex' || fail 'the commit failed'
  grep -q 'holder:  git commit' "$TRACE" || fail 'the commit did not hold the lane'
  [[ $(git log -1 --format=%s) == 'From the annex' ]] || fail 'no commit was made'
}

case_git_status_spares_the_index_while_others_work() {
  mkdir "$PLACE/wrapper"
  printf '%s\n' '#!/bin/sh' 'echo "locks: ${GIT_OPTIONAL_LOCKS-unset}"' >"$PLACE/wrapper/git"
  chmod +x "$PLACE/wrapper/git"
  project shop
  printf '%s\n' 'below:' $'\t@git status' >>Makefile
  local shims=$PWD/.onelane/bin
  local wrapped=$shims:$PLACE/wrapper:$DIRECT_PATH
  [[ $(PATH=$wrapped git status) == 'locks: unset' ]] || fail 'with a free lane'
  [[ $(PATH=$wrapped make below) == 'locks: unset' ]] || fail 'below the holder'
  mkfifo "$PLACE/gate"
  printf '%s\n' 'gate:' $'\t@echo begin gate >>$(TRACE); read line <$(GATE)' >>Makefile
  make gate GATE="$PLACE/gate" &
  within 20 traced 'begin gate' || fail 'make gate never began'
  local other own
  other=$(PATH=$wrapped git status)
  own=$(PATH=$wrapped GIT_OPTIONAL_LOCKS=1 git status)
  echo open >"$PLACE/gate"
  wait
  [[ $other == 'locks: 0' ]] || fail "while another run holds the lane: $other"
  [[ $own == 'locks: 1' ]] || fail "with the caller's own value: $own"
}

case_git_status_in_a_prompt_breaks_no_commit() {
  project shop
  printf '%s\n' '#!/bin/sh' 'echo begin commits >>"$TRACE"' 'for i in $(seq 50); do' \
    '  echo $i >>Makefile; git commit --quiet --all -m "Sell $i" || exit 1' 'done' >"$PLACE/sell"
  chmod +x "$PLACE/sell"
  onelane run -- "$PLACE/sell" 2>"$PLACE/commits.log" &
  local commits=$!
  within 20 traced 'begin commits' || fail 'the commits never began'
  for ((i = 0; i < 50; ++i)); do
    git status --short >/dev/null || fail "git status $i failed"
  done
  wait "$commits" || fail "a commit failed: $(<"$PLACE/commits.log")"
  [[ $(git rev-list --count HEAD) == 51 ]] || fail 'commits are missing'
}

# --- make -------------------------------------------------------------------------------

case_make_recursive_with_jobserver() {
  project shop
  mkdir sub
  printf '%s\n' 'all: a b c d' 'a b c d:' $'\t@echo $@; $(MAKE) -C sub $@' >Makefile
  printf '%s\n' 'a b c d:' $'\t+@make --no-print-directory -f deep.mk $@' >sub/Makefile
  printf '%s\n' 'a b c d:' $'\t@echo deep $@' >sub/deep.mk
  local out
  out=$(make -j4 all 2>&1) || fail "make -j4 failed: $out"
  [[ $out != *warning* ]] || fail "$out"
  [[ $(grep -c '^deep ' <<<"$out") == 4 ]] || fail "$out"
  same make -s -j1 all
}

# --- pytest, pre-commit -----------------------------------------------------------------

case_pytest_with_xdist() {
  need pytest
  /usr/bin/python3 -c 'import xdist' 2>/dev/null || skip 'pytest has no xdist'
  project shop pytest
  same pytest -q -n2
  same pytest -q no_such_file.py
  waits_for_hold pytest -q -n2 >/dev/null || fail 'pytest failed'
  [[ $(tail -1 "$TRACE") == pytest ]] || fail 'pytest did not wait'
}

case_pre_commit() {
  need pre-commit
  project shop precommit
  printf '%s\n' 'repos:' '- repo: local' '  hooks:' '  - id: check' '    name: check' \
    '    language: system' '    entry: make check' '    always_run: true' \
    '    pass_filenames: false' '  - id: hold' '    name: hold' '    language: system' \
    '    entry: make hold' '    always_run: true' '    pass_filenames: false' \
    >.pre-commit-config.yaml
  git add .pre-commit-config.yaml
  pre-commit install >/dev/null || fail 'pre-commit install failed'
  git commit --quiet -m 'Check' >"$PLACE/commit.log" 2>&1 &
  local commit=$!
  within 60 traced 'begin hold' || fail "the hook never began: $(<"$PLACE/commit.log")"
  make test || fail 'make test failed'
  wait "$commit" || fail "the commit failed: $(<"$PLACE/commit.log")"
  apart hold test
  traced check || fail 'make check did not run'
}
