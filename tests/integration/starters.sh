#!/usr/bin/env bash
# The circumstances in which onelane is started: by a service manager that hands over sockets, with
# a /proc that hides processes, with a clock of its own, or with limits that leave room only for the
# bare tool.
# ONELANE_BINARY names the executable under test, FAKE_TOOL the scripted tool of the tests.
#
#   tests/integration/starters.sh CASE      --list names them
#
# Exits with 1 when the case failed, with 125 when it cannot run here; prints the reason.
# shellcheck disable=SC2016,SC2317  # texts for other shells; cases are called by name
set -uo pipefail

ONELANE_BINARY=$(realpath "$ONELANE_BINARY")
FAKE_TOOL=$(realpath "$FAKE_TOOL")
PLACE=$(mktemp -d)
trap 'rm -rf "$PLACE"' EXIT
USER_ID=$((60000 + $$ % 4000)) # a user with no other process

skip() {
  echo "skipped: $*"
  exit 125
}

fail() {
  echo "FAIL: $*"
  exit 1
}

# A project that has adopted onelane, owned by a user without processes.
make_place() {
  mkdir "$PLACE"/{home,tools,shims,project}
  ln -s "$ONELANE_BINARY" "$PLACE/shims/make"
  ln -s "$ONELANE_BINARY" "$PLACE/shims/onelane"
  ln -s "$FAKE_TOOL" "$PLACE/tools/make"
  git init --quiet "$PLACE/project"
  mkdir "$PLACE/project/.git/onelane"
  : >"$PLACE/trace"
  [[ $(id -u) -ne 0 ]] || chown -R "$USER_ID:$USER_ID" "$PLACE"
  cd "$PLACE/project" || exit 1
}

# in_place direct|shim COMMAND...: in an environment that is the same for both but for the shims.
in_place() {
  local shims=$PLACE/shims:
  [[ $1 == shim ]] || shims=
  shift
  env -i HOME="$PLACE/home" TRACE="$PLACE/trace" PATH="$shims$PLACE/tools:/usr/bin:/bin" "$@"
}

as_user() {
  setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups "$@"
}

need_root() {
  [[ $(id -u) -eq 0 ]] || skip "needs root, to become a user without processes"
  as_user test -x "$ONELANE_BINARY" ||
    skip "another user may not execute $ONELANE_BINARY"
}

within() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $limit ]] || return 1
    sleep 0.01
  done
}

traced() {
  grep -q " $1\$" "$PLACE/trace"
}

# --- Limits ---------------------------------------------------------------------------------

# under LIMIT MESSAGE WORD...: the same output and code as without onelane, and one line that
# says MESSAGE, or no line where MESSAGE is "may" and everything could be had.
under() {
  local limit=$1 message=$2 out code direct_out direct_code lines
  shift 2
  for mode in direct shim; do
    : >"$PLACE/trace"
    # shellcheck disable=SC2086  # two words
    out=$(in_place "$mode" $AS bash -c "exec 3>&-; ulimit $limit; exec make \"\$@\"" make "$@" \
      2> >(cat >"$PLACE/err"))
    code=$?
    out="$out $(grep -c ' child$' "$PLACE/trace")"
    if [[ $mode == direct ]]; then
      direct_out=$out direct_code=$code
      [[ $code -eq 7 ]] || fail "ulimit $limit: the bare tool ended with $code"
    fi
  done
  wait
  sleep 0.05 # the reader of standard error
  lines=$(wc -l <"$PLACE/err")
  [[ $out == "$direct_out" && $code -eq $direct_code ]] ||
    fail "ulimit $limit: '$out' $code, without onelane '$direct_out' $direct_code: $(cat "$PLACE/err")"
  echo "ulimit $limit: $(cat "$PLACE/err")"
  if [[ $message == may ]]; then
    [[ $lines -le 1 ]] || fail "ulimit $limit: $lines lines"
    return
  fi
  [[ $lines -eq 1 ]] || fail "ulimit $limit: $lines lines"
  grep -q "^onelane: .*$message" "$PLACE/err" || fail "ulimit $limit: another line"
}

case_limit_file_size() {
  make_place
  AS=
  under '-f 0' 'write the lane file: File too large; running make without the lane' \
    out said sleep 50 exit 7
}

case_limit_descriptors() {
  make_place
  AS=
  local count
  for settings in none .env.development onelane.toml; do
    case $settings in
      .env.development) echo 'LINGER=1' >.env.development ;;
      onelane.toml) echo 'linger = 1' >onelane.toml ;;
    esac
    for count in 4 5 6 8 10 12 16 20; do
      under "-n $count" 'open files; running make without the lane' \
        out said sleep 50 exit 7
    done
    for count in 21 22 23 24 25 26 27 28 30 32 40; do
      under "-n $count" may out said sleep 50 exit 7
    done
  done
}

case_limit_processes() {
  need_root
  make_place
  AS="setpriv --reuid $USER_ID --regid $USER_ID --clear-groups"
  local count child words
  for count in 1 2 3 4 5 6 8 12 16; do
    words=()
    for ((child = 1; child < count; ++child)); do
      words+=(spawn sleep 150 trace child end)
    done
    under "-u $count" 'ulimit -u.*; running make without the lane' \
      out said "${words[@]}" wait-all exit 7
    [[ $(grep -c ' child$' "$PLACE/trace") -eq $((count - 1)) ]] ||
      fail "ulimit -u $count: children of the tool are missing"
  done
  under '-u 64' may out said spawn sleep 50 trace child end wait-all exit 7
  [[ ! -s $PLACE/err ]] || fail "ulimit -u 64 leaves room for all"
}

# --- A service manager ----------------------------------------------------------------------

# A tool that reads what sd_listen_fds(3), sd_watchdog_enabled(3) and sd_journal_stream_fd(3) do.
make_service() {
  [[ -x /usr/bin/python3 ]] || skip "no /usr/bin/python3"
  make_place
  rm "$PLACE/tools/make"
  cat >"$PLACE/tools/make" <<'PYTHON'
#!/usr/bin/python3
import os, socket, sys
pid = str(os.getpid())
facts = []
for name in ("LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"):
    value = os.environ.get(name)
    facts.append(f"{name}={'none' if value is None else 'self' if value == pid else 'other'}")
if os.environ.get("LISTEN_PIDFDID"):
    own = os.fstat(os.pidfd_open(os.getpid())).st_ino
    facts.append("LISTEN_PIDFDID=" + ("self" if os.environ["LISTEN_PIDFDID"] == str(own) else "other"))
for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_USEC", "NOTIFY_SOCKET", "INVOCATION_ID", "MAINPID"):
    facts.append(f"{name}={os.environ.get(name)}")
if os.environ.get("LISTEN_FDS"):
    facts.append("socket=" + str(socket.socket(fileno=3).getsockname()))
stream = os.fstat(2)
facts.append("journal=" + str(os.environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"))
with open(os.environ["REPORT"], "w") as report:
    report.write(" ".join(facts) + "\n")
PYTHON
  chmod +x "$PLACE/tools/make"
  cat >"$PLACE/manager" <<'PYTHON'
#!/usr/bin/python3
# Starts its arguments as a service manager does: the same process, sockets from 3 on.
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["REPORT"] + ".socket")
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
pid, stream = str(os.getpid()), os.fstat(2)
os.environ.update(LISTEN_PID=pid, LISTEN_FDS="1", LISTEN_FDNAMES="web", WATCHDOG_PID=pid,
                  WATCHDOG_USEC="1000", SYSTEMD_EXEC_PID=pid, NOTIFY_SOCKET="/run/none",
                  INVOCATION_ID="abc", MAINPID="1",
                  JOURNAL_STREAM=f"{stream.st_dev}:{stream.st_ino}")
os.environ["LISTEN_PIDFDID"] = str(os.fstat(os.pidfd_open(os.getpid())).st_ino)
os.execvp(sys.argv[1], sys.argv[1:])
PYTHON
  chmod +x "$PLACE/manager"
}

# report NAME MODE COMMAND...: what the tool saw.
report() {
  local name=$1 mode=$2
  shift 2
  in_place "$mode" REPORT="$PLACE/$name" "$PLACE/manager" "$@" </dev/null >"$PLACE/$name.out" \
    2>"$PLACE/$name.err" || fail "$name: $(cat "$PLACE/$name.err")"
  sed "s|$PLACE/$name|PLACE|" "$PLACE/$name"
}

case_sockets_and_what_names_the_process() {
  make_service
  local direct other name
  direct=$(report direct direct make)
  grep -q 'LISTEN_PID=self WATCHDOG_PID=self SYSTEMD_EXEC_PID=self' <<<"$direct" ||
    fail "the test itself: $direct"
  grep -q "socket=PLACE.socket journal=True" <<<"$direct" || fail "the test itself: $direct"
  for name in shim run json pass; do
    case $name in
      shim) other=$(report shim shim make) ;;
      run) other=$(report run shim onelane run -- make) ;;
      # Captured: its standard error is a pipe, and a comparison with JOURNAL_STREAM shows it.
      json)
        other=$(report json shim onelane run --json -- make)
        other=${other/journal=False/journal=True}
        ;;
      pass) other=$(report pass shim make --version) ;;
    esac
    [[ $other == "$direct" ]] || fail "$name: $other, without onelane: $direct"
  done
}

case_systemd_socket_activate() {
  command -v systemd-socket-activate >/dev/null || skip "no systemd-socket-activate"
  make_service
  local name command starter
  for name in direct shim run; do
    case $name in
      run) command='onelane run -- make' ;;
      *) command='make' ;;
    esac
    # shellcheck disable=SC2086  # words
    in_place "$([[ $name == direct ]] && echo direct || echo shim)" \
      systemd-socket-activate -l "$PLACE/$name.socket" --fdname=web \
      -E PATH -E HOME -E TRACE -E REPORT="$PLACE/$name" $command >"$PLACE/$name.out" 2>&1 &
    starter=$!
    within 10 test -S "$PLACE/$name.socket" || fail "no socket: $(cat "$PLACE/$name.out")"
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' \
      "$PLACE/$name.socket"
    within 20 test -s "$PLACE/$name" || fail "$name: nothing came: $(cat "$PLACE/$name.out")"
    wait "$starter"
    cat "$PLACE/$name"
    grep -q 'LISTEN_PID=self ' "$PLACE/$name" || fail "$name: LISTEN_PID names another"
    grep -q 'LISTEN_FDS=1 LISTEN_FDNAMES=web ' "$PLACE/$name" || fail "$name: no name"
  done
}

# --- A /proc that hides, a clock of its own ----------------------------------------------------

# apart OPTION... -- FUNCTION: in its own PID and mount namespace.
in_namespaces() {
  need_root
  unshare --mount --pid --fork --mount-proc true 2>/dev/null ||
    skip "unshare --mount --pid is not permitted here"
  unshare --mount --pid --fork --mount-proc --kill-child "$0" --inside "$@" "$PLACE"
}

case_hidepid_1() { in_namespaces hidden 1; }
case_hidepid_2() { in_namespaces hidden 2; }

# start_shell NAME VARIABLE...: a user's shell that runs `make trace NAME` when told to.
start_shell() {
  local name=$1
  shift
  in_place shim "$@" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups bash -c \
    'echo >"$1.up"; until [[ -e $1.go ]]; do sleep 0.02; done; make trace "$2"; echo $? >"$1.code"' \
    bash "$PLACE/home/$name" "$name" 2>"$PLACE/$name.err" &
  within 10 test -e "$PLACE/home/$name.up" || fail "no shell"
  sleep 0.05 # a few ticks of the start times
}

inside_hidden() {
  mount -t proc -o "hidepid=$1" proc /proc || skip "hidepid=$1 cannot be mounted"
  as_user test -e /proc/1/stat && as_user cat /proc/1/stat >/dev/null 2>&1 && skip "hides nothing"
  make_place
  mkfifo "$PLACE/gate" && chown "$USER_ID" "$PLACE/gate"
  start_shell old ONELANE_NS_WAIT=300ms
  in_place shim setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
    make trace held call env -i HOME="$PLACE/home" PATH="$PLACE/shims:$PLACE/tools:/usr/bin:/bin" \
    make trace-file "$PLACE/trace" trace nested end hold-until "$PLACE/gate" trace over \
    2>"$PLACE/holder.err" &
  # A nested call with a scrubbed environment sees its holder: it is the user's own.
  within 10 traced nested || fail "the nested call waits: $(cat "$PLACE/holder.err")"
  sleep 0.05
  start_shell young ONELANE_NS_WAIT=300ms
  # Only the holder's token can tell whether the holder started this one.
  echo >"$PLACE/home/young.go"
  within 10 test -s "$PLACE/home/young.code" || fail "the young shell's call waits on"
  grep -q 'may be an ancestor of this call that /proc hides (hidepid)' "$PLACE/young.err" ||
    fail "young: $(cat "$PLACE/young.err")"
  traced young && fail "young: it ran"
  echo >"$PLACE/home/old.go"
  sleep 1.5 # three times NS_WAIT and more
  [[ ! -s $PLACE/home/old.code ]] || fail "old: gave up: $(cat "$PLACE/old.err")"
  : >"$PLACE/gate"
  within 10 traced old || fail "old: never ran"
  grep -q 'namespace\|hides' "$PLACE/old.err" && fail "old: $(cat "$PLACE/old.err")"
  [[ $(grep -oE '(over|old)$' "$PLACE/trace" | tr '\n' ' ') == 'over old ' ]] || fail "order"
  wait
}

case_time_namespace() { in_namespaces clock; }

inside_clock() {
  unshare --time --fork --boottime 100000 true 2>/dev/null || skip "no time namespace here"
  make_place
  chown -R 0:0 "$PLACE"
  mkfifo "$PLACE/gate"
  local apart='unshare --time --fork --boottime 100000'
  # shellcheck disable=SC2086  # words
  in_place shim make trace held call $apart env -i HOME="$PLACE/home" \
    PATH="$PLACE/shims:$PLACE/tools:/usr/bin:/bin" \
    make trace-file "$PLACE/trace" trace nested end hold-until "$PLACE/gate" trace over \
    2>"$PLACE/holder.err" &
  within 10 traced nested || fail "the nested call waits: $(cat "$PLACE/holder.err")"
  # From outside the run it is a call like any other: it waits, and does not give up.
  # shellcheck disable=SC2086  # words
  in_place shim ONELANE_NS_WAIT=300ms $apart make trace outside 2>"$PLACE/outside.err" &
  sleep 1.5
  traced outside && fail "it did not wait"
  : >"$PLACE/gate"
  within 10 traced outside || fail "never ran: $(cat "$PLACE/outside.err")"
  grep -q 'namespace\|killed' "$PLACE/outside.err" && fail "$(cat "$PLACE/outside.err")"
  wait
  # And a holder with a clock of its own above a call with the machine's.
  # shellcheck disable=SC2086  # words
  in_place shim $apart make call nsenter --time=/proc/1/ns/time env -i HOME="$PLACE/home" \
    PATH="$PLACE/shims:$PLACE/tools:/usr/bin:/bin" ONELANE_NO_WAIT=1 \
    make trace-file "$PLACE/trace" trace back end 2>"$PLACE/back.err" ||
    fail "back: $(cat "$PLACE/back.err")"
  traced back || fail "back: it never ran"
}

# --- The start of a call ------------------------------------------------------------------------

# What a library does before main() is easily lost sight of: Boost counts the processors in /sys,
# <iostream> looks for a locale.
case_a_call_that_passes_opens_nothing_for_a_library() {
  local opened
  make_place
  in_place shim strace -o "$PLACE/calls" -e trace=open,openat,execve make --version >/dev/null 2>&1
  grep -q "execve(\"$PLACE/tools/make\"" "$PLACE/calls" || skip "strace cannot be used here"
  opened=$(sed '1d; /execve(/,$d' "$PLACE/calls" | grep -E '"(/sys/|/etc/|/usr/(lib|share)/locale)' |
    grep -v '/etc/ld.so')
  [[ -z $opened ]] || fail "$opened"
}

# --- ------------------------------------------------------------------------------------------
case ${1-} in
  --list) compgen -A function case_ | sed 's/^case_//' ;;
  --inside)
    rmdir "$PLACE"
    PLACE=${*: -1}
    trap - EXIT
    "inside_$2" "${@:3:1}"
    ;;
  *) "case_$1" ;;
esac
