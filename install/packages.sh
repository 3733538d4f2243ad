#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages onelane is built and tested with.
#
#   install/packages.sh build        what cmake and the compiler need
#   install/packages.sh build demo   and what install/quickstart.sh needs
#   install/packages.sh build test   and what tests/run.sh needs
#
# Does nothing if everything is installed. Needs root or sudo; asks no questions. Services that a
# package would start (redis, PostgreSQL) are not started.
set -euo pipefail

# One entry per need. `a|b` is satisfied by either; the first one that apt offers is installed.
BUILD_NEEDS=(
  g++ cmake ninja-build git make
  'libboost1.81-dev|libboost-dev' 'libboost-filesystem1.81-dev|libboost-filesystem-dev'
  libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libncurses-dev
  libmd-dev libyaml-dev lowdown rapidjson-dev lld
)
DEMO_NEEDS=(python3-pytest)
TEST_NEEDS=(
  libgtest-dev libgmock-dev clang clang-format clang-tidy 'libclang-rt-14-dev|libclang-rt-dev'
  bash dash zsh fish groff-base mandoc direnv nano vim-tiny less tmux expect strace procps util-linux shellcheck
  pre-commit tox python3-pytest python3-pytest-xdist python3-yaml
  black isort yamllint jq libxml2-utils
  redis-server postgresql task-spooler parallel
  dpkg-dev perl zlib1g-dev gnupg spin
  'chromium|chromium-browser' 'chromium-driver|chromium-chromedriver'
)
# Debian's nodejs conflicts with other builds of it, so any `node` on PATH is enough.
NODE_NEEDS=(nodejs npm)

fail() {
  echo "packages: $*" >&2
  exit 1
}

installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

offered() {
  [[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]
}

# Prints the needs that no installed package satisfies.
missing_needs() {
  local need name
  for need in "$@"; do
    for name in ${need//|/ }; do
      installed "$name" && continue 2
    done
    echo "$need"
  done
}

# Prints the package to install for each need; a need that apt does not offer stays as it is,
# so that apt names it.
chosen_packages() {
  local need name
  for need in "$@"; do
    for name in ${need//|/ }; do
      if offered "$name"; then
        echo "$name"
        continue 2
      fi
    done
    echo "${need%%|*}"
  done
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  else
    sudo -- "$@"
  fi
}

run_apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# invoke-rc.d runs this file, whose exit code 101 means: do not start the service.
POLICY=/usr/sbin/policy-rc.d
keep_services_down() {
  [[ -e $POLICY ]] && return
  trap 'as_root rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}

install_needs() {
  local packages
  mapfile -t packages < <(chosen_packages "$@")
  if run_apt --no-install-recommends install "${packages[@]}"; then
    return
  fi
  # The package lists may be old or missing. Go on if a third-party source cannot be reached: the
  # second install decides.
  echo 'packages: refreshing the package lists'
  run_apt update || echo 'packages: some package lists could not be refreshed' >&2
  mapfile -t packages < <(chosen_packages "$@")
  run_apt --no-install-recommends install "${packages[@]}" ||
    fail "apt-get could not install: ${packages[*]}"
}

main() {
  local needs=() missing part
  [[ $# -gt 0 ]] || fail 'usage: install/packages.sh build|demo|test ...'
  for part in "$@"; do
    case $part in
      build) needs+=("${BUILD_NEEDS[@]}") ;;
      demo) needs+=("${DEMO_NEEDS[@]}") ;;
      test)
        needs+=("${TEST_NEEDS[@]}")
        command -v node >/dev/null && command -v npm >/dev/null || needs+=("${NODE_NEEDS[@]}")
        ;;
      *) fail "unknown part '$part' (build, demo, test)" ;;
    esac
  done
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "apt is not installed; install by hand: ${needs[*]}"
  fi
  mapfile -t missing < <(missing_needs "${needs[@]}")
  if [[ ${#missing[@]} == 0 ]]; then
    echo "packages: all ${#needs[@]} are installed"
    return
  fi
  if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
    fail "neither root nor sudo; ask an administrator to install: ${missing[*]}"
  fi
  echo "packages: installing ${missing[*]}"
  keep_services_down
  install_needs "${missing[@]}"
}

main "$@"
