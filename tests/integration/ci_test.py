#!/usr/bin/python3
"""CI jobs with onelane in them, run as GitHub's runner and GitLab's do. ONELANE_BINARY names the
executable under test.

  tests/integration/ci_test.py CASE
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

try:
    from ci_steps import ROOT, TIME_LIMIT, Job
except ImportError as missing:  # python3-yaml
    print(f'skipped: {missing}')
    sys.exit(125)

BINARY = os.path.realpath(os.environ.get('ONELANE_BINARY', ROOT + '/build/release/onelane'))
TOOLS = ('npm', 'pytest', 'vitest')
WORKFLOW = '.github/workflows/ci.yml'
SETUP = '''      - uses: actions/checkout@v4
      - uses: OWNER/onelane/install/github-action@VERSION
'''
FINISH = '''      - uses: OWNER/onelane/install/github-action/finish@VERSION
        if: always()
'''


def expect(condition, *what):
    if not condition:
        raise AssertionError('\n'.join(str(part) for part in what))


def workflow(steps, finish=FINISH):
    return 'on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n' + SETUP + steps + finish


def run_job(job, steps, finish=FINISH):
    job.write(WORKFLOW, workflow(steps, finish))
    job.write('Makefile', 'test:\n\t@echo tested\nserve:\n\t@$(UNSET) setsid sleep 600 '
              '</dev/null >/dev/null 2>&1 & echo $$! > pid\n')
    job.commit()
    return job.run(WORKFLOW, 'test')


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def runs_of(job):
    out = subprocess.run([BINARY, 'report', '--json', '--since', 'all'], cwd=job.workspace,
                         check=True, text=True, capture_output=True, timeout=TIME_LIMIT).stdout
    return [run['command'] for run in json.loads(out)['runs']]


# --- The action -------------------------------------------------------------------------------

def case_action(job):
    """The steps after the action have the shims; the checkout has not changed."""
    ok = run_job(job, '''      - name: where
        run: |
          command -v pytest make onelane
          bash -lc 'command -v pytest'
          sh -c 'command -v pytest'
      - run: onelane ci verify
      - run: onelane ci verify --json
      - run: make test && pytest -q
      - name: clean
        run: git status --porcelain
''')
    expect(ok, job.steps)
    shim = job.workspace + '/.onelane/bin/'
    expect(job.step('where').out.splitlines() == [
        shim + 'pytest', shim + 'make', BINARY, shim + 'pytest', shim + 'pytest'], job.step('where'))
    expect('every call of this job goes through the lane' in job.step('onelane ci verify').out
           or json.loads(job.step('onelane ci verify --json').out)['wrong'] == 0, job.steps)
    expect('tested\nreal pytest -q\n' in job.step('make test').out, job.steps)
    expect(job.step('clean').out == '', job.step('clean'))
    expect({'make test', 'pytest -q'} <= set(runs_of(job)), runs_of(job))
    with open(job.summary, encoding='utf-8') as file:
        summary = file.read()
    expect('### onelane' in summary and '<code>make test</code>' in summary, summary)
    expect(job.step('Finish').code == 0, job.steps)


def case_action_twice(job):
    """A runner that is used again, and an action that is used twice."""
    expect(run_job(job, SETUP + '      - run: onelane ci verify\n'), job.steps)
    with open(job.home + '/.profile', encoding='utf-8') as file:
        expect(file.read().count('onelane ci') == 1)


def case_another_tool_first(job):
    """A directory that a later step puts before the shims is named, and the job is red."""
    job.write_tool('hostedtoolcache', 'pytest', 'echo elsewhere')
    ok = run_job(job, f'''      - run: echo "{job.root}/hostedtoolcache" >> "$GITHUB_PATH"
      - run: onelane ci verify
''')
    verify = job.step('onelane ci verify')
    expect(not ok and verify.code == 1, job.steps)
    line = [text for text in verify.out.splitlines() if text.startswith('wrong  path')]
    expect(len(line) == 1 and 'pytest is found before the shim' in line[0]
           and job.root + '/hostedtoolcache' in line[0] and 'GITHUB_PATH' in line[0], verify)
    expect('::error title=onelane ci verify%3A path::pytest is found' in verify.out, verify)
    expect(job.step('Did every call').code == 1 and job.step('Finish').code == 0, job.steps)


def case_login_shells(job):
    """A shell that forgets the shims is found: Debian's login shells set PATH anew."""
    ok = run_job(job, '''      - run: rm ~/.profile
      - run: onelane ci verify
''')
    verify = job.step('onelane ci verify')
    expect(not ok and verify.code == 1 and '`bash -lc`: ' in verify.out, verify)
    expect('wrong  path' not in verify.out, verify)


def case_unusable_lane(job):
    """If the lane's directory is not a directory, calls would run without the lane."""
    ok = run_job(job, '''      - run: rm -r .git/onelane && touch .git/onelane
      - run: onelane ci verify
''')
    expect(not ok and job.step('onelane ci verify').code == 1, job.steps)


def case_listed_tools(job):
    """The tools that the project's own onelane.toml lists have links, if their names are valid."""
    job.write_tool('tools', 'cargo', 'echo "real cargo $*"')
    job.write('onelane.toml', '[tools.cargo]\nclass = "lane"\n[tools."../../evil"]\nclass = "lane"\n')
    ok = run_job(job, '''      - run: cargo build && command -v cargo
      - name: json
        run: onelane ci finish --json
      - name: clean
        run: git status --porcelain
''')
    expect(ok, job.steps)
    expect(job.step('cargo').out.endswith(f'real cargo build\n{job.workspace}/.onelane/bin/cargo\n'),
           job.steps)
    expect('cargo build' in runs_of(job) and job.step('clean').out == '', job.steps)
    said = json.loads(job.step('json').out)
    expect(said['schema'] == 1 and said['problems'] == [] and said['unstarted'] == [], said)


def case_switched_off(job):
    expect(not run_job(job, '      - run: ONELANE=off onelane ci verify\n'), job.steps)
    expect('ONELANE=off is in the environment' in job.step('ONELANE=off').out, job.steps)


# --- Queues -------------------------------------------------------------------------------------

def case_queued_and_never_started(job):
    """A job that queues commands and never starts them would be green: finish makes it red."""
    ok = run_job(job, '''      - run: onelane ci verify
        if: always()
      - name: refused
        if: always()
        run: onelane queue add -- make test
      - name: queued
        if: always()
        run: onelane queue add --deferred -- make test
      - name: queued as well
        if: always()
        run: onelane queue add --deferred --atoms -- jq . a.json
''')
    expect(not ok and job.step('onelane ci verify').code == 0, job.steps)
    expect(job.step('refused').code == 64 and job.step('queued').code == 0, job.steps)
    finish = job.step('Finish')
    expect(finish.code == 1 and '2 commands were queued and never started: make test, jq . a.json'
           in finish.out, finish)
    expect('::error title=onelane ci finish::2 commands were' in finish.out, finish)
    expect(runs_of(job) == [], runs_of(job))


def case_option_batch_script(job):
    """The seeds' option 1: one script with all commands."""
    ok = run_job(job, '''      - name: Run all checks one after the other
        run: |
          cat > run_all.sh << 'EOF'
          #!/usr/bin/env bash
          set -euo pipefail
          make test
          pytest -q
          EOF
          chmod +x run_all.sh
          TIMEOUT=7200 onelane run -- ./run_all.sh
''')
    expect(ok, job.steps)
    expect('tested\nreal pytest -q\n' in job.step('Run all').out, job.steps)
    expect('./run_all.sh' in runs_of(job), runs_of(job))


def case_option_batch_script_fails(job):
    """Its first failure becomes the failure of the step."""
    ok = run_job(job, '''      - name: Run all checks one after the other
        run: |
          printf '#!/bin/sh\\nset -e\\npytest -q\\nexit 3\\n' > run_all.sh
          chmod +x run_all.sh
          onelane run -- ./run_all.sh
''')
    expect(not ok and job.step('Run all').code == 3, job.steps)


def case_option_queue(job):
    """The seeds' option 2: queue in one step, start in another."""
    ok = run_job(job, '''      - run: onelane ci verify
      - name: Queue commands
        run: |
          onelane queue add --deferred -- make test
          onelane queue add --deferred -- pytest -q
      - name: Execute queue
        run: onelane queue start
''')
    expect(ok, job.steps)
    out = job.step('Execute queue').out
    expect(0 <= out.find('tested') < out.find('real pytest -q'), out)
    expect('pytest -q' in runs_of(job), runs_of(job))


def case_option_direct(job):
    """The seeds' option 3: one command, its own exit code."""
    job.write_tool('tools', 'pytest', 'echo failed; exit 5')
    ok = run_job(job, '      - run: onelane run -- pytest\n')
    expect(not ok and job.step('onelane run').code == 5, job.steps)
    expect(job.step('Finish').code == 0, job.steps)


# --- The end of a job -------------------------------------------------------------------------------

DAEMON = '      - run: make serve UNSET={unset}\n'


def daemon_of(job):
    with open(job.workspace + '/pid', encoding='utf-8') as file:
        return int(file.read())


def case_daemon_ends(job):
    """What was left running on purpose ends with the job, and is listed."""
    expect(run_job(job, DAEMON.format(unset='')), job.steps)
    expect(re.search(rf'^ended   sleep 600 \(pid {daemon_of(job)}, run ', job.step('Finish').out,
                     re.M), job.steps)
    expect(not alive(daemon_of(job)))


def case_daemon_stays(job):
    """Unless it is meant to outlive the job: by the option, or as GitHub's runner documents."""
    keep = FINISH + "        with:\n          keep-daemons: 'true'\n"
    for unset, finish in (('', keep), ('RUNNER_TRACKING_ID=', FINISH)):
        ok = run_job(job, DAEMON.format(unset=unset), finish)
        pid = daemon_of(job)
        try:
            expect(ok and alive(pid), job.steps)
            expect(f'left    sleep 600 (pid {pid}, ' in job.step('Finish').out, job.steps)
        finally:
            os.kill(pid, signal.SIGKILL)
        job.write('round', unset)


def finish_at_home(job, *words, **more):
    """`onelane ci finish` as a user types it in a shell outside of CI."""
    return subprocess.run([BINARY, 'ci', 'finish', *words], cwd=job.workspace, text=True,
                          capture_output=True, timeout=TIME_LIMIT, check=False,
                          env={'PATH': os.environ['PATH'], 'HOME': job.home, **more})


def case_daemon_is_only_listed_outside_of_ci(job):
    """Outside of a job, no daemon or service is ended without being asked for."""
    keep = FINISH + "        with:\n          keep-daemons: 'true'\n"
    job.write_tool('tools', 'npm', 'echo $$ > service; sleep 600')
    job.write('package.json', '{"scripts": {"dev": "serve"}}')
    expect(run_job(job, DAEMON.format(unset='') + SERVICE.format(unset=''), keep), job.steps)
    daemon = daemon_of(job)
    for more in ({}, {'CI': ''}, {'CI': 'false'}):
        said = finish_at_home(job, **more)
        expect(said.returncode == 0, said)
        expect(re.search(rf'^would end  sleep 600 \(pid {daemon}, run ', said.stdout, re.M), said)
        expect(re.search(r'^would end  run \w+ `npm run dev` ', said.stdout, re.M), said)
        expect(not re.search('^ended   (run|sleep)', said.stdout, re.M) and said.stderr.count('\n') == 1
               and 'nothing was ended' in said.stderr and '--yes' in said.stderr, said)
    rows = json.loads(finish_at_home(job, '--json').stdout)
    expect(rows['is_listed_only'] and rows['ended'] == rows['ended_services'] == [], rows)
    expect(len(rows['would_end']) == len(rows['would_end_services']) == 1, rows)
    expect(alive(daemon) and len(services_of(job)) == 1)
    said = finish_at_home(job, '--yes')
    expect(said.returncode == 0 and f'ended   sleep 600 (pid {daemon}, ' in said.stdout, said)
    expect(said.stderr == '' and not alive(daemon) and services_of(job) == [], said)


def case_daemon_ends_where_the_start_of_a_job_is_known(job):
    """A CI other than GitHub's: what setup.sh exports is enough."""
    keep = FINISH + "        with:\n          keep-daemons: 'true'\n"
    expect(run_job(job, DAEMON.format(unset=''), keep), job.steps)
    said = finish_at_home(job, ONELANE_JOB_STARTED=str(int(time.time())))
    expect(said.returncode == 0 and not alive(daemon_of(job)), said)


SERVICE = '''      - run: |
          {unset}npm run dev </dev/null >/dev/null 2>&1 &
          until onelane status | grep -q ^service; do sleep 0.05; done
'''


def start_service(job, unset, finish=FINISH):
    job.write_tool('tools', 'npm', 'echo $$ > pid; sleep 600')
    job.write('package.json', '{"scripts": {"dev": "serve"}}')
    return run_job(job, SERVICE.format(unset=unset), finish)


def services_of(job):
    out = subprocess.run([BINARY, 'status', '--json'], cwd=job.workspace, check=True, text=True,
                         capture_output=True, timeout=TIME_LIMIT).stdout
    return json.loads(out)['services']


def case_service_ends(job):
    """A server that a step left running is ended with all below it, and listed."""
    expect(start_service(job, ''), job.steps)
    finish = job.step('Finish').out
    expect(re.search(r'^ended   run \w+ `npm run dev` \(pid \d+', finish, re.M), finish)
    expect(not alive(daemon_of(job)))
    expect(services_of(job) == [])


def case_service_stays(job):
    """Unless it is meant to outlive the job."""
    keep = FINISH + "        with:\n          keep-daemons: 'true'\n"
    for unset, finish in (('', keep), ('env -u RUNNER_TRACKING_ID ', FINISH)):
        ok = start_service(job, unset, finish)
        pid = daemon_of(job)
        try:
            expect(ok and alive(pid), job.steps)
            out = job.step('Finish').out
            expect(re.search(r'^left    run \w+ `npm run dev` \(pid \d+', out, re.M), out)
        finally:
            for service in services_of(job):
                subprocess.run([BINARY, 'stop', service['id'], '--yes'], cwd=job.workspace,
                               check=True, capture_output=True, timeout=TIME_LIMIT)
        expect(not alive(pid), 'stop left it')
        job.write('round', unset)


def case_holder_is_named(job):
    """A run that still has the lane is neither waited for nor ended."""
    ok = run_job(job, '''      - name: begin
        run: |
          mkfifo gate
          onelane run -- sh -c 'echo $$ > pid; read line < gate' </dev/null >/dev/null 2>&1 &
          while [ ! -s pid ]; do sleep 0.05; done
''')
    finish = job.step('Finish')
    try:
        expect(not ok and finish.code == 1 and ' still runs -> ' in finish.out, finish)
        expect(alive(daemon_of(job)))
    finally:
        with open(job.workspace + '/gate', 'w', encoding='utf-8') as gate:
            gate.write('go\n')
    deadline = time.monotonic() + 20
    while alive(daemon_of(job)) and time.monotonic() < deadline:
        time.sleep(0.05)
    expect(not alive(daemon_of(job)))


# --- Text of tools in GitHub's log -------------------------------------------------------------------

def commands_obeyed(text):
    """The workflow commands that GitHub's runner would obey."""
    obeyed, token = [], None
    for line in text.splitlines():
        match = re.match(r'\s*::(.*?)(?: [^:]*)?::(.*)', line)
        if token is not None:
            token = None if line.strip() == f'::{token}::' else token
        elif match and match.group(1) == 'stop-commands':
            token = match.group(2)
        elif '##[' in line:  # the older form counts wherever it stands
            obeyed.append(line)
        elif match or '##[' in line:
            obeyed.append(line)
    expect(token is None, 'the fence was not taken down', text)
    return obeyed


def case_fence(job):
    """The output of a tool cannot be a workflow command."""
    name = '::error title=forged::##[error]forged'
    ok = run_job(job, f'''      - name: warned
        run: |
          printf '#!/bin/sh\\nsleep 600\\n' > '{name}'
          chmod +x '{name}'
          TIMEOUT=1 onelane run -- './{name}' || true
      - name: replay
        run: |
          onelane logs
          onelane runs view "$(onelane runs list --json | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)" --log
      - name: output
        run: |
          onelane run --detach -- sh -c 'echo ::set-output name=a::b; echo "::error::forged"' > id
          onelane runs watch "$(cat id)"
          onelane wait "$(cat id)"
          onelane logs "$(cat id)"
          onelane runs view "$(cat id)" --log
      - name: command
        run: |
          onelane queue add --deferred -- '{name}'
          onelane queue start || true
      - name: views
        run: |
          onelane runs view "$(onelane runs list --json | grep -o '"id":"[^"]*"' | tail -n 1 | cut -d '"' -f 4)"
          onelane runs list
          onelane monitor --once
          onelane status
          onelane stats
          onelane report
          env -u GITHUB_STEP_SUMMARY onelane report --github
          onelane orphans
          onelane queue
          onelane queue clear
      - name: json
        run: |
          onelane logs --json
          onelane runs list --json
          onelane report --json
          onelane monitor --once --json
      - name: file
        run: onelane logs > log.txt; grep -c stop-commands log.txt || true
''')
    expect(ok, job.steps)
    expect('forged' in job.step('replay').out, job.step('replay'))
    expect(commands_obeyed(job.step('replay').out) == [], job.step('replay'))
    tokens = re.findall(r'::stop-commands::(\S+)', job.step('replay').out)
    expect(len(tokens) == 2 and len(set(tokens)) == 2, job.step('replay'))
    output = job.step('output').out
    expect(output.count('::error::forged') >= 3 and output.count('::set-output name=a') >= 3, output)
    expect(commands_obeyed(output) == [], output)
    expect('forged' in job.step('views').out, job.step('views'))
    expect([line for line in commands_obeyed(job.step('views').out)
            if not line.startswith('::error title=onelane%3A time limit::')] == [], job.step('views'))
    expect(commands_obeyed(job.step('json').out) == [], job.step('json'))
    expect(job.step('file').out == '0\n', job.step('file'))


# --- Elsewhere --------------------------------------------------------------------------------------

def gitlab(job, lines):
    """before_script and script in one shell, as GitLab's runner puts them together."""
    import yaml
    with open(ROOT + '/install/gitlab/onelane.gitlab-ci.yml', encoding='utf-8') as file:
        before = yaml.safe_load(file)['.onelane']['before_script']
    job.write('Makefile', 'test:\n\t@echo tested\n')
    job.commit()
    environment = {'CI': 'true', 'GITLAB_CI': 'true', 'CI_JOB_ID': '17', 'HOME': job.home,
                   'PATH': job.environment['PATH'], 'ONELANE_SOURCE': ROOT,
                   'ONELANE_BINARY': BINARY, 'LC_ALL': 'C.UTF-8'}
    return subprocess.run(['/bin/bash', '-eo', 'pipefail', '-c', '\n'.join(before + lines)],
                          cwd=job.workspace, env=environment, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT)


def case_gitlab(job):
    ended = gitlab(job, ['command -v make', 'make test'])
    expect(ended.returncode == 0, ended.stdout)
    expect(job.workspace + '/.onelane/bin/make\ntested\n' in ended.stdout, ended.stdout)
    expect('::' not in ended.stdout, ended.stdout)
    environment = {name: value for name, value in job.environment.items() if 'GITHUB' not in name}
    setup = subprocess.run([ROOT + '/install/ci/setup.sh', 'adopt'], cwd=job.workspace, check=True,
                           text=True, capture_output=True, timeout=TIME_LIMIT,
                           env={**environment, 'ONELANE_BINARY': BINARY})
    expect('GITHUB_PATH' not in setup.stderr and setup.stdout == '', setup)
    setup = subprocess.run([ROOT + '/install/ci/setup.sh', 'adopt'], cwd=job.workspace, check=True,
                           text=True, capture_output=True, timeout=TIME_LIMIT,
                           env={**environment, 'ONELANE_BINARY': BINARY, 'GITHUB_PATH': '/x'})
    expect('next: onelane ci path >> "$GITHUB_PATH"' in setup.stderr, setup)


def case_gitlab_job_is_red(job):
    """A failure stays a failure, and a command that was queued and never started is one."""
    expect(gitlab(job, ['exit 4']).returncode == 4)
    ended = gitlab(job, ['onelane queue add --deferred -- make test'])
    expect(ended.returncode == 1 and 'queued and never started: make test' in ended.stdout,
           ended.stdout)


def case_setup_fails_loudly(job):
    """`eval "$(setup.sh)"` must not hide that there is no executable."""
    ended = subprocess.run(['/bin/bash', '-ec', f'eval "$({ROOT}/install/ci/setup.sh)"; echo on'],
                           cwd=job.workspace, check=False, text=True, capture_output=True,
                           env={**job.environment, 'ONELANE_BINARY': '/no/such/onelane'},
                           timeout=TIME_LIMIT)
    expect(ended.returncode != 0 and ended.stdout == '', ended.stdout, ended.stderr)


def main():
    cases = {name.removeprefix('case_'): act for name, act in globals().items()
             if name.startswith('case_')}
    if len(sys.argv) != 2 or sys.argv[1] not in cases:
        print('usage: ci_test.py ' + '|'.join(cases))
        return 64
    job = Job(BINARY, TOOLS)
    try:
        cases[sys.argv[1]](job)
    finally:
        job.close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
