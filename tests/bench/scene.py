"""The calls whose counts are watched, made in a place that is the same on every machine."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

COUNTED = ("pass", "nested", "lane", "run")


def compiler_of(binary):
    """The compiler that `binary` names."""
    found = re.search(rb"GCC: \([^)]*\) [0-9.]+|clang version [0-9.]+", binary.read_bytes())
    return found.group().decode() if found else "unknown"


def kernel():
    """Its first two numbers: within them the cost of a page hardly changes."""
    return ".".join(os.uname().release.split(".")[:2])


class Calls:
    """An adopted repository in which one call after another is stepped through.

    Names have the same length everywhere, the environment is fixed, and the executable is a fresh
    copy, so that counts differ only with what the executable does.
    """

    def __init__(self, binary, tools):
        self.folder = Path(tempfile.mkdtemp(prefix="onelane-bench.", dir="/tmp"))
        self.steps, self.driver = tools / "bench_steps", tools / "bench_driver"
        self.onelane = self.folder / "bin/onelane"
        self.real = self.folder / "real"
        self.project = self.folder / "project"
        self.shims = self.folder / "shims"
        for folder in (self.onelane.parent, self.real, self.shims):
            folder.mkdir()
        shutil.copyfile(binary, self.onelane)
        self.onelane.chmod(0o755)
        for tool in ("git", "make"):
            (self.shims / tool).symlink_to(self.onelane)
            shutil.copyfile(tools / "bench_nothing", self.real / tool)
            (self.real / tool).chmod(0o755)
        subprocess.run(["git", "init", "--quiet", self.project], check=True)
        (self.project / ".git/onelane").mkdir()
        self.environment = {"PATH": f"{self.shims}:{self.real}:/usr/bin:/bin", "LANG": "C",
                            "HOME": str(self.folder), "ONELANE_QUIET": "1"}

    def __enter__(self):
        self._call("lane", ())  # makes the lane's file and the journal
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def words(self, name):
        """The command of the call `name`, and the command below which it is made."""
        return {"pass": (["git", "--version"], []),
                "nested": (["git", "commit"], [self.onelane, "run", "--"]),
                "lane": (["make"], []),
                "run": ([self.onelane, "run", self.real / "make"], [])}[name]

    def _call(self, name, before, after=()):
        command, below = self.words(name)
        return subprocess.run(
            [str(word) for word in (*below, *before, *command, *after)], cwd=self.project, check=True,
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout

    def instructions(self, name):
        """How many instructions onelane executes for that call, without what it starts."""
        return min(int(self._call(name, [self.steps])) for _ in range(2))

    def faults(self, name):
        """How many page faults the call has that its tool alone has not."""
        lines = self._call(name, [self.driver, "40", "--"],
                           ["--", self.real / "make"]).splitlines()
        ours, alone = (int(line.split()[-1]) for line in lines)
        return ours - alone

    def trace(self, name):
        """Its instructions, each once, by first execution: the address, and the registers."""
        trace = self.folder / "trace"
        self._call(name, [self.steps, "--trace", trace])
        for line in trace.read_text().splitlines():
            address, *registers = line.split()
            pairs = (register.split("=") for register in registers)
            yield int(address, 16), {key: int(value, 16) for key, value in pairs}
