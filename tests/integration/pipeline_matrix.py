#!/usr/bin/env python3
"""A pipeline is one turn: real make and git joined in every way that a shell or a program has.

    pipeline_matrix.py CASE     one of CASES; ONELANE_BINARY names the executable

Each case joins a left and a right side, as FLOWS says, with either of them in the lane first, in
each shell that has such a construct. Every one must end within LIMIT seconds, with the result of
the same without onelane, and never beside a third call from outside, of which there is always one
that runs or waits.
"""

import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BINARY = os.environ["ONELANE_BINARY"]
LIMIT = 10
SKIPPED = 125

MAKEFILE = """
long:
\t@seq 1 20000
names:
\t@for i in $$(seq 1 60); do echo file$$i; done
eat:
\t@cat > eaten; cksum < eaten
"""

# Stands between the shim and the real tool: it reports when it runs, and whether a call from
# outside runs at the same time.
TOOL = """#!/bin/sh
case $* in *--stdin-paths) exec /usr/bin/{name} "$@" ;; esac # reads, and so never waits
touch "$BUSY/$$"
[ ! -e "$BUSY/third" ] || echo "$0 $*" >> "$OVERLAPS"
/usr/bin/{name} "$@"
status=$?
[ ! -e "$BUSY/third" ] || echo "$0 $*" >> "$OVERLAPS"
rm -f "$BUSY/$$"
exit $status
"""
THIRD = """#!/bin/sh
touch "$BUSY/third"
for look in 1 2 3; do
  [ "$(ls "$BUSY")" = third ] || echo "third: $(ls "$BUSY")" >> "$OVERLAPS"
  sleep 0.01
done
rm -f "$BUSY/third"
echo >> "$BUSY/../thirds"
"""

# Left side, right side, and what shows the result.
FLOWS = {
    "writes_reads": ("make -s long", "git hash-object -w --stdin", "cat out"),
    "reads_writes": ('git hash-object --stdin-paths < paths | sed "s/.*/100644 & 0\tby-&/"',
                     "git update-index --index-info", "/usr/bin/git ls-files -s | cksum"),
    "writes_recipe": ("git hash-object --stdin-paths -w < paths", "make -s eat", "cat out"),
    "three": ("make -s long", "git hash-object -w --stdin | make -s eat", "cat out"),
    # The reader of the middle one has the lane first, the writer then joins through the middle.
    "three_from_the_end": ("make -s long",
                           "{ sleep 0.1; git hash-object -w --stdin; } | make -s eat", "cat out"),
    "tee": ("make -s long", "tee copy | git hash-object -w --stdin", "cat out; cksum < copy"),
    "xargs": ("make -s names", "xargs -n 20 git add", "/usr/bin/git ls-files | cksum"),
}
FIRST = ("left", "right")

# Where the program that joins the two is above both, only a call that is known to read its work
# from standard input can be told from one whose input an agent keeps open: not a recipe of make's.
ABOVE_BOTH = {"node"}


class Project:
    """An adopted repository with its shims, the tools behind them and calls from outside."""

    def __init__(self, folder, adopted):
        self.folder = folder
        self.adopted = adopted
        self.root = os.path.join(folder, "project")
        self.busy = os.path.join(folder, "busy")
        self.overlaps = os.path.join(folder, "overlaps")
        for name in ("project", "busy", "shims", "tools", "home"):
            os.mkdir(os.path.join(folder, name))
        for name in ("make", "git"):
            self.write(f"tools/{name}", TOOL.format(name=name))
            os.symlink(BINARY, os.path.join(folder, "shims", name))
        os.symlink(BINARY, os.path.join(folder, "onelane"))
        self.write("third", THIRD)
        self.environment = {
            "HOME": os.path.join(folder, "home"),
            "BUSY": self.busy,
            "OVERLAPS": self.overlaps,
            "ONELANE_QUIET": "1",
            "PATH": ":".join(([os.path.join(folder, "shims")] if adopted else [])
                             + [os.path.join(folder, "tools"), "/usr/bin", "/bin"]),
        }
        self.prepare()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def prepare(self):
        self.write("project/Makefile", MAKEFILE)
        for i in range(1, 61):
            self.write(f"project/file{i}", f"{i}\n")
        self.write("project/paths", "".join(f"file{i}\n" for i in range(1, 61)))
        git = ["/usr/bin/git", "-c", "user.name=n", "-c", "user.email=n@n"]
        for words in (["init", "--quiet", "."], ["commit", "--quiet", "--allow-empty", "-m", "one"]):
            subprocess.run(git + words, cwd=self.root, check=True, env=self.environment)
        for name, value in (("user.name", "n"), ("user.email", "n@n")):
            subprocess.run(["/usr/bin/git", "config", name, value], cwd=self.root, check=True)
        if self.adopted:
            os.mkdir(os.path.join(self.root, ".git/onelane"))

    def run(self, words):
        """The output of the result's command after `words` have run; None when they hang."""
        process = subprocess.Popen(words, cwd=self.root, env=self.environment,
                                   start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            process.wait(LIMIT)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(process.pid, 9)
            except ProcessLookupError:
                pass
            process.wait()

    def shell(self, text):
        return subprocess.run(["sh", "-c", text], cwd=self.root, env=self.environment,
                              capture_output=True, text=True, check=False).stdout


class Outside:
    """Calls from outside, one after the other, as long as the block runs."""

    def __init__(self, project):
        self.project = project
        self.ends = threading.Event()
        self.count = 0
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.ends.is_set():
            words = [os.path.join(self.project.folder, name) for name in ("onelane", "third")]
            subprocess.run([words[0], "run", "--", words[1]], cwd=self.project.root,
                           env=self.project.environment, check=True)
            self.count += 1

    def __enter__(self):
        if self.project.adopted:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        if self.project.adopted:
            self.thread.join()


def late(side, is_late):
    """`side` as a group that begins when the other side has the lane, most likely."""
    return f"{{ sleep 0.15; {side}; }}" if is_late else f"{{ {side}; }}"


def sides(flow, first):
    left, right, _ = FLOWS[flow]
    return late(left, first == "right"), late(right + " > out", first == "left")


# Until the right side has written its end: not every shell waits for a substituted process.
AWAIT = "while [ ! -e ended ]; do sleep 0.01; done"


def pipe(left, right):
    return f"{left} | {right}"


def pipe_with_errors(left, right):
    return f"{left} |& {right}"


def output_substitution(left, right):
    return f"{left} > >({right}; touch ended); {AWAIT}"


def input_substitution(left, right):
    return f"{right} < <({left})"


def fifo(left, right):
    return f"rm -f fifo; mkfifo fifo; {left} > fifo & {right} < fifo; wait"


def coprocess_bash(left, right):
    return f"coproc {{ {right}; touch ended; }}; {left} >&${{COPROC[1]}}; " \
           f"eval \"exec ${{COPROC[1]}}>&-\"; {AWAIT}"


def coprocess_zsh(left, right):
    # One command: a group of zsh's keeps the writing end of its own input.
    words = shlex.quote(f"{right}; touch ended")
    return f"coproc bash -c {words}; {left} >&p; coproc exit; {AWAIT}"


NODE = """
const { spawn } = require('child_process');
const left = spawn('bash', ['-c', process.argv[1]], { stdio: ['ignore', 'pipe', 'inherit'] });
const right = spawn('bash', ['-c', process.argv[2]], { stdio: ['pipe', 'inherit', 'inherit'] });
left.stdout.pipe(right.stdin);
"""
POPEN = """
import subprocess, sys
left = subprocess.Popen(['bash', '-c', sys.argv[1]], stdout=subprocess.PIPE)
right = subprocess.Popen(['bash', '-c', sys.argv[2]], stdin=left.stdout)
left.stdout.close()
sys.exit(left.wait() or right.wait())
"""

# A process that writes the input of a call is, for that time, part of the call's turn.
FED = {
    "index_info": ('{ echo "100644 $(git hash-object -w file1) 0\tg"; '
                   'echo "100644 $(git hash-object -w file2) 0\th"; } | git update-index --index-info',
                   "/usr/bin/git ls-files"),
    "message": ("make -s long | git commit --quiet --allow-empty -F -",
                "/usr/bin/git log -1 --format=%B | cksum"),
    "refs": ('mkfifo fifo; git update-ref --stdin < fifo & exec 9> fifo; '
             'git tag one; echo "create refs/heads/a $(git hash-object -w file1 >/dev/null; '
             '/usr/bin/git rev-parse HEAD)" >&9; git tag two; exec 9>&-; wait',
             "/usr/bin/git for-each-ref --format='%(refname)'"),
    "makefile": ('mkfifo fifo; make -s -f - eat < /dev/null; { git add file3; cat Makefile; } | '
                 "make -s -f - names > out", "cat out; /usr/bin/git ls-files"),
    "patch": ('echo changed > file1; { git add file2; printf "%s\\n" "--- a/file4" "+++ b/file4" '
              '"@@ -1 +1 @@" "-4" "+four"; } | git apply', "cat file4; /usr/bin/git ls-files"),
}

SHELLS = {
    "pipe": (pipe, ("bash", "dash", "zsh")),
    "pipe_with_errors": (pipe_with_errors, ("bash", "zsh")),
    "output_substitution": (output_substitution, ("bash", "zsh")),
    "input_substitution": (input_substitution, ("bash", "zsh")),
    "fifo": (fifo, ("bash", "dash", "zsh")),
    "coprocess_bash": (coprocess_bash, ("bash",)),
    "coprocess_zsh": (coprocess_zsh, ("zsh",)),
}


def calls_of(case):
    """What is done, in which way, the command and what shows the result: every way of a case."""
    for flow, first in itertools.product(FLOWS, FIRST):
        if case in ABOVE_BOTH and flow == "writes_recipe":
            continue
        left, right = sides(flow, first)
        result = FLOWS[flow][2]
        if case == "node":
            yield flow, f"{first} first", ["node", "-e", NODE, left, right], result
        elif case == "popen":
            yield flow, f"{first} first", [sys.executable, "-c", POPEN, left, right], result
        elif case != "fed":
            construct, shells = SHELLS[case]
            for shell in shells:
                yield (flow, f"{shell}, {first} first", [shell, "-c", construct(left, right)],
                       result)
    if case == "fed":
        for name, (text, result) in FED.items():
            for shell in ("bash", "dash", "zsh"):
                yield name, shell, [shell, "-c", text], result


def run_once(words, result, adopted):
    """What the result's command prints, whether it hung, overlaps, calls from outside."""
    with tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
        project = Project(folder, adopted)
        with Outside(project) as outside:
            if adopted:
                wait_for(os.path.join(folder, "thirds"))
            has_ended = project.run(words)
        shown = project.shell(result)
        overlaps = ""
        if os.path.exists(project.overlaps):
            with open(project.overlaps, encoding="utf-8") as file:
                overlaps = file.read()
        return shown, has_ended, overlaps, outside.count


def wait_for(path):
    until = time.monotonic() + LIMIT
    while not os.path.exists(path) and time.monotonic() < until:
        time.sleep(0.005)


def faults_of(name, words, result, expected):
    shown, has_ended, overlaps, count = run_once(words, result, True)
    if not has_ended:
        yield f"{name}: has not ended within {LIMIT} s"
    elif shown != expected:
        yield f"{name}: printed {shown!r}, without onelane {expected!r}"
    if overlaps:
        yield f"{name}: ran beside a call from outside:\n{overlaps}"
    if count == 0:
        yield f"{name}: no call from outside ran"


def main():
    case = sys.argv[1]
    for tool in ("zsh", "dash", "node", "bash"):
        if shutil.which(tool) is None:
            print(f"{tool} is not installed")
            return SKIPPED
    faults = []
    count = 0
    expected = {}
    for deed, way, words, result in calls_of(case):
        name = f"{deed}, {way}"
        if deed not in expected:
            shown, has_ended, _, _ = run_once(words, result, False)
            if not has_ended or not shown:
                faults.append(f"{name}: has no result without onelane: {shown!r}")
                continue
            expected[deed] = shown
        found = list(faults_of(name, words, result, expected[deed]))
        print(f"{'FAIL' if found else 'ok  '} {name}", flush=True)
        faults += found
        count += 1
    print(f"{count} ways of {case}, {len(faults)} faults")
    for fault in faults:
        print(fault)
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
