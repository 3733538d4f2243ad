#!/usr/bin/env bash
# Fails where clang-format would change a file, or shellcheck finds fault with a script.
# Only what git knows is looked at, so a build folder inside the tree does not matter.
set -euo pipefail
cd "$(dirname "$0")/../.."
# A CI checkout may belong to another user; this git only lists files.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$PWD

# -d: a file that is deleted but not yet committed is still listed by git.
existing() {
  local file
  while IFS= read -r -d '' file; do
    [[ -f $file ]] && printf '%s\0' "$file"
  done
  return 0
}

case ${1-} in
  cpp)
    git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.hpp' | existing |
      xargs -0 -r clang-format --dry-run -Werror
    ;;
  shell)
    git grep -z --untracked -l -E '^#!.*(bash|/sh)$' -- ':!tests/fixtures' | existing |
      xargs -0 -r shellcheck -x
    ;;
  *)
    echo 'usage: tests/lint/format.sh cpp|shell' >&2
    exit 64
    ;;
esac
