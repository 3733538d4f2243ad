"""Runs the jobs of a GitHub workflow as the runner does: each step in a shell of its own
(`bash --noprofile --norc -eo pipefail FILE`), with files for GITHUB_PATH, GITHUB_ENV,
GITHUB_OUTPUT and GITHUB_STEP_SUMMARY that are applied between steps. Composite actions are read
from their action.yml. What it does not know it refuses."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid

import yaml

TIME_LIMIT = 100
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
ACTIONS = 'OWNER/onelane/'  # `uses: OWNER/onelane/install/github-action@VERSION` is in ROOT


class Step:
    def __init__(self, name, code, out):
        self.name, self.code, self.out = name, code, out

    def __repr__(self):
        return f'--- {self.name}: exit {self.code}\n{self.out}'


class Job:
    """A checkout and the job that runs in it."""

    def __init__(self, binary, tools):
        self.root = tempfile.mkdtemp(prefix='onelane-ci-')
        self.workspace = os.path.join(self.root, 'work', 'shop')
        self.temp = os.path.join(self.root, 'temp')
        self.home = os.path.join(self.root, 'home')
        self.summary = os.path.join(self.root, 'summary.md')
        for folder in (self.workspace, self.temp, self.home, os.path.join(self.root, 'tools')):
            os.makedirs(folder)
        open(self.summary, 'w').close()
        for name in tools:
            self.write_tool('tools', name, f'echo "real {name} $*"')
        self.environment = {
            'CI': 'true', 'GITHUB_ACTIONS': 'true', 'GITHUB_WORKSPACE': self.workspace,
            'RUNNER_TEMP': self.temp, 'HOME': self.home, 'LC_ALL': 'C.UTF-8',
            'RUNNER_TRACKING_ID': f'github_{uuid.uuid4()}',
            'ONELANE_KILL_TIMEOUT': '2',
            'PATH': os.path.join(self.root, 'tools') + ':/usr/local/bin:/usr/bin:/bin'}
        self.path = []  # newest last
        self.binary = binary
        self.steps = []
        self.git('init', '--quiet', '--initial-branch=main')

    def close(self):
        mark = f'HOME={self.home}'.encode()
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/environ', 'rb') as file:
                    if mark in file.read().split(b'\0'):
                        os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass  # gone, or another user's
        shutil.rmtree(self.root, ignore_errors=True)

    def git(self, *words):
        return subprocess.run(['/usr/bin/git', *words], cwd=self.workspace, check=True, text=True,
                              capture_output=True, env={'PATH': '/usr/bin:/bin', 'HOME': self.home},
                              timeout=TIME_LIMIT).stdout

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.workspace, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, mode)

    def write_tool(self, folder, name, script):
        path = os.path.join(self.root, folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\n{script}\n')
        os.chmod(path, 0o755)
        return os.path.dirname(path)

    def commit(self):
        self.git('add', '--all')
        self.git('-c', 'user.name=shop', '-c', 'user.email=shop@localhost', 'commit', '--quiet', '--allow-empty',
                 '-m', 'Open the shop')

    # --- The runner -------------------------------------------------------------------------

    def run(self, workflow, job):
        """Runs a job of the checkout; true when it is green."""
        with open(os.path.join(self.workspace, workflow), encoding='utf-8') as file:
            steps = yaml.safe_load(file)['jobs'][job]['steps']
        return self.run_steps(steps, {}, {})

    def run_steps(self, steps, inputs, action):
        outputs = {}
        is_green = True
        for step in steps:
            condition = str(step.get('if', 'success()'))
            if condition == 'success()' and not is_green:
                continue
            if condition not in ('success()', 'always()'):
                raise ValueError(f'no condition {condition}')
            variables = {name: self.expand(str(value), inputs, outputs)
                         for name, value in step.get('env', {}).items()}
            if 'uses' in step:
                given = {name: str(value) for name, value in step.get('with', {}).items()}
                ok = self.run_action(step['uses'], given)
            else:
                ok, outputs[step.get('id')] = self.run_shell(step, {**variables, **action})
            is_green = is_green and ok
        return is_green

    def run_action(self, uses, given):
        if uses.startswith('actions/'):
            return True  # the checkout is there
        folder = os.path.join(ROOT, uses.removeprefix(ACTIONS).split('@')[0])
        with open(os.path.join(folder, 'action.yml'), encoding='utf-8') as file:
            action = yaml.safe_load(file)
        assert action['runs']['using'] == 'composite', uses
        known = action.get('inputs', {})
        assert set(given) <= set(known), (uses, given)
        inputs = {name: given.get(name, str(about.get('default', '')))
                  for name, about in known.items()}
        if 'binary' in known and not inputs['binary']:
            inputs['binary'] = self.binary  # the one under test instead of a build
        for step in action['runs']['steps']:
            assert step.get('shell') == 'bash', f'{uses}: a step of an action names its shell'
        return self.run_steps(action['runs']['steps'], inputs, {'GITHUB_ACTION_PATH': folder})

    @staticmethod
    def expand(text, inputs, outputs):
        def value(match):
            words = match.group(1).strip().split('.')
            if words[0] == 'inputs':
                return inputs[words[1]]
            if words[0] == 'steps' and words[2] == 'outputs':
                return outputs[words[1]].get(words[3], '')
            raise ValueError(f'no expression {match.group(0)}')
        return re.sub(r'\$\{\{(.*?)\}\}', value, text)

    def run_shell(self, step, variables):
        files = {name: os.path.join(self.temp, f'{name.lower()}-{uuid.uuid4()}')
                 for name in ('GITHUB_PATH', 'GITHUB_ENV', 'GITHUB_OUTPUT')}
        for path in files.values():
            open(path, 'w').close()
        environment = {**self.environment, **variables, **files,
                       'GITHUB_STEP_SUMMARY': self.summary}
        environment['PATH'] = ':'.join([*reversed(self.path), self.environment['PATH']])
        script = os.path.join(self.temp, f'{uuid.uuid4()}.sh')
        assert '${{' not in step['run'], 'an expression in a script is an injection'
        with open(script, 'w', encoding='utf-8') as file:
            file.write(step['run'])
        with tempfile.TemporaryFile() as log:
            code = subprocess.run(
                ['/bin/bash', '--noprofile', '--norc', '-eo', 'pipefail', script],
                cwd=self.workspace, env=environment, stdin=subprocess.DEVNULL,
                stdout=self.pipe(log),
                stderr=subprocess.STDOUT, timeout=TIME_LIMIT, check=False).returncode
            out = self.read(log)
        self.steps.append(Step(step.get('name', step['run'].splitlines()[0]), code, out))
        self.apply(files)
        return code == 0, self.assignments(files['GITHUB_OUTPUT'])

    def pipe(self, log):
        """A pipe that `cat` empties into the log, as the runner reads its steps."""
        self.reader = subprocess.Popen(['/bin/cat'], stdin=subprocess.PIPE, stdout=log)
        return self.reader.stdin

    def read(self, log):
        self.reader.stdin.close()
        try:
            self.reader.wait(timeout=5)
        except subprocess.TimeoutExpired:  # a daemon has the pipe
            self.reader.kill()
            self.reader.wait()
        log.seek(0)
        return log.read().decode('utf-8', 'replace')

    def apply(self, files):
        with open(files['GITHUB_PATH'], encoding='utf-8') as file:
            self.path += [line.rstrip('\n') for line in file if line.strip()]
        self.environment.update(self.assignments(files['GITHUB_ENV']))

    @staticmethod
    def assignments(path):
        out = {}
        with open(path, encoding='utf-8') as file:
            for line in file:
                name, equals, value = line.rstrip('\n').partition('=')
                assert equals, f'no assignment: {line}'
                out[name] = value
        return out

    def step(self, name):
        found = [step for step in self.steps if step.name.startswith(name)]
        assert found, f'no step {name} was run: {self.steps}'
        return found[-1]
