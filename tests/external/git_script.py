"""Runs one script of git's test suite in one way and reads what it printed.

A script runs in a PID namespace of its own, so that the end of its time limit ends everything
below it and nothing it starts outlives it.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, dataclass, field

RESULT = re.compile(r'^(ok|not ok) (\d+)(.*)$', re.MULTILINE)
# What may be around us and would be seen by the scripts, or by us below them.
FOREIGN = ('ONELANE', 'GIT_', 'MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'HARNESS_')


@dataclass
class Way:
    """name: direct, shim or adopted. git: the folder of the git under test, first on PATH.
    tree: git's source tree, whose template says whether repositories have adopted onelane.
    tools: a folder of commands to use instead of the system's."""
    name: str
    git: str
    tree: str
    tools: str


@dataclass
class Outcome:
    """What a script said. results: one line a test, as printed. status: of the script, None after
    the time limit. turns: how many calls took a lane. tree: the processes at the time limit.
    left: what of onelane lived on after the script."""
    seconds: float
    status: int | None
    results: list = field(default_factory=list)
    plan: str = ''
    turns: int = 0
    tree: list = field(default_factory=list)
    left: list = field(default_factory=list)

    @property
    def hung(self):
        return self.status is None

    @property
    def hung_at(self):
        return len(self.results) + 1

    @property
    def failed(self):
        """Numbers of the tests that failed and are not known to."""
        return [int(RESULT.match(line).group(2)) for line in self.results
                if line.startswith('not ok') and '# TODO' not in line]


def environment(way):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    path = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'
    return kept | {'PATH': f'{way.git}:{way.tools}:{path}', 'GIT_TEST_INSTALLED': way.git}


# The script is not process 1, which has no default actions of signals. What of onelane lives on
# after it gets five seconds to end.
FIRST_PROCESS = r'''
onelane=$1; shift
"$@"; status=$?
for _ in 1 2 3 4 5 6 7 8 9 10; do
  left=$(find /proc/[0-9]*/exe -maxdepth 0 -lname "$onelane" 2>/dev/null)
  [ -n "$left" ] || exit $status
  sleep 0.5
done
for exe in $left; do
  echo "left behind: $(tr '\0' ' ' <"${exe%exe}cmdline")"
done
exit $status
'''


def in_namespace(onelane, command):
    """As root, or as the same user where user namespaces are allowed."""
    user = [] if os.geteuid() == 0 else ['--user', '--map-current-user']
    return ['setpriv', '--pdeathsig', 'KILL', 'unshare', *user, '--fork', '--pid', '--mount-proc',
            '--kill-child=KILL', 'sh', '-c', FIRST_PROCESS, 'sh', onelane, *command]


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return '-'


def process_lines(root):
    """Every process below `root`: pid, parent, state, where it sleeps, command, descriptors 0, 1."""
    parents = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        stat = read(f'/proc/{name}/stat').rpartition(')')[2].split()
        if stat:
            parents.setdefault(int(stat[1]), []).append((int(name), stat[0]))
    lines, left = [], [(root, '?', 0)]
    while left:
        pid, state, depth = left.pop()
        command = read(f'/proc/{pid}/cmdline').replace('\0', ' ').strip()
        place = read(f'/proc/{pid}/wchan')
        ends = ' '.join(link(f'/proc/{pid}/fd/{fd}') for fd in (0, 1))
        lines.append(f"{'  ' * depth}{pid} {state} {place} [{command[:150]}] {ends}")
        left += [(child, how, depth + 1) for child, how in sorted(parents.get(pid, []), reverse=True)]
    return lines


def turns_in(root):
    """Calls that a lane below `root` has recorded."""
    turns = 0
    for folder, _, files in os.walk(root):
        if os.path.basename(folder) == 'onelane' and 'runs.jsonl' in files:
            turns += read(os.path.join(folder, 'runs.jsonl')).count('\n')
    return turns


def parse(text, outcome):
    outcome.results = [match.group(0) for match in RESULT.finditer(text)]
    plan = re.search(r'^1\.\.\d+.*$', text, re.MULTILINE)
    outcome.plan = plan.group(0) if plan else ''
    outcome.left = re.findall(r'^left behind: (.*)$', text, re.MULTILINE)


def wait_for(process, log, limit):
    """Its status, or None when it has printed nothing for `limit` seconds: however busy the machine
    is, what does not hang goes on."""
    size, since = 0, time.monotonic()
    while True:
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            if os.path.getsize(log) != size:
                size, since = os.path.getsize(log), time.monotonic()
            elif time.monotonic() - since > limit:
                return None


def run_script(script, way, root, limit, log):
    """Runs `script` below the folder `root` (made, and removed again), each of its tests for at most
    `limit` seconds; what it prints goes to the file `log`."""
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    onelane = 'none' if way.name == 'direct' else os.path.realpath(f'{way.git}/git')
    command = in_namespace(onelane, ['sh', f'./{script}.sh', '-d', f'--root={root}'])
    started, tree = time.monotonic(), []
    with open(log, 'w', encoding='utf-8') as out:
        process = subprocess.Popen(command, cwd=f'{way.tree}/t', env=environment(way), stdout=out,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                   start_new_session=True)
    status = wait_for(process, log, limit)
    if status is None:
        tree = process_lines(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    outcome = Outcome(round(time.monotonic() - started, 1), status, tree=tree)
    parse(read(log).replace(root, 'ROOT'), outcome)  # some titles name a path
    outcome.turns = turns_in(root)
    shutil.rmtree(root, ignore_errors=True)
    return outcome


def save(outcome, path):
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(asdict(outcome), file, indent=1)
    os.replace(path + '.new', path)


def load(path):
    """The outcome of an earlier run, or None."""
    text = read(path)
    return Outcome(**json.loads(text)) if text else None
