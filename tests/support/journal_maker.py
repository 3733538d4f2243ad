"""A project with a generated journal, for the tests and pictures of features that read journals.

The runs are invented but possible: one lane, so no two of them overlap, and each wait ends when
the run before it does. The same seed and the same `end` give the same journal.
"""

import json
import random
import subprocess
from pathlib import Path

MB = 1 << 20
PEOPLE = (("ada", ""), ("ada", ""), ("grace", ""), ("ada", "claude"), ("ada", "cursor"))
BRANCHES = ("main", "main", "till", "receipts/vat")
# command, usual seconds, megabytes, share that fails
WORK = (
    (("make", "build"), 48, 620, .06), (("make", "test"), 95, 910, .12),
    (("make", "-j4", "lint"), 12, 180, .1), (("git", "commit", "-m", "Count the till twice"), 2, 38, .05),
    (("git", "rebase", "--autostash", "origin/main"), 4, 64, .08), (("git", "pull", "--ff-only"), 3, 40, .02),
    (("pytest", "-q"), 34, 340, .15), (("pytest", "-n", "auto", "tests/checkout"), 71, 1180, .12),
    (("vitest", "run"), 22, 760, .1), (("npm", "ci"), 27, 410, .03),
    (("npm", "run", "build"), 64, 1350, .07), (("npm", "test"), 25, 780, .1),
)


def run_id(random_):
    return "".join(random_.choice("abcdefghijkmnopqrstuvwxyz2345678") for _ in range(11))


def make_project(root):
    """A git repository at `root` that has adopted onelane, by its lane directory only."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)
    lane = Path(root, ".git/onelane")
    lane.mkdir(mode=0o700)
    return lane


def curve_of(random_, peak, points=48):
    rise = random_.uniform(1.5, 3.5)
    return [int(peak * max(.02, (i / (points - 1)) ** rise * random_.uniform(.93, 1) if i + 1 < points else 1))
            for i in range(points)]


def memory_card(random_, record, limit_mb):
    used = int(limit_mb * random_.uniform(1.02, 1.1)) * MB
    after = record["duration_ms"]
    pid = random_.randrange(4000, 30000)
    workers = [int(used * share) for share in (.11, .07, .05)]
    tree = [{"pid": pid, "parent": 900, "bytes": 3 * MB, "command": " ".join(record["argv"])},
            {"pid": pid + 4, "parent": pid, "bytes": 42 * MB, "command": "node scripts/pack.mjs --production"},
            {"pid": pid + 9, "parent": pid + 4, "bytes": used, "command": "node --max-old-space-size=8192 worker.js receipts"}]
    tree += [{"pid": pid + 10 + i, "parent": pid + 4, "bytes": size,
              "command": f"node worker.js till-{i + 1}"} for i, size in enumerate(workers)]
    total = sum(process["bytes"] for process in tree)
    record["peak_tree_kb"], record["peak_process_kb"] = total >> 10, used >> 10
    record["peak_processes"] = len(tree)
    return {"cause": "memory", "used": used, "limit": limit_mb * MB, "limit_name": "MEMORY_LIMIT_MB",
            "limit_place": f"{record['project']}/onelane.toml:4", "change": f"memory_limit_mb = {limit_mb * 3 // 2 // 100 * 100 + 100}",
            "after_ms": after, "pid": pid + 9, "processes": len(tree), "bytes": total, "tree": tree,
            "curve": curve_of(random_, total), "curve_step_ms": max(50, after // 48)}


def time_card(random_, record, limit_s):
    used = record["peak_tree_kb"] << 10
    pid = random_.randrange(4000, 30000)
    return {"cause": "timeout", "used": limit_s * 1000, "limit": limit_s * 1000, "limit_name": "TIMEOUT",
            "limit_place": f"{record['project']}/.env.development:7", "change": f"ONELANE_TIMEOUT={limit_s * 2}",
            "after_ms": limit_s * 1000, "pid": 0, "processes": 2, "bytes": used,
            "tree": [{"pid": pid, "parent": 900, "bytes": used // 8, "command": " ".join(record["argv"])},
                     {"pid": pid + 2, "parent": pid, "bytes": used // 8 * 7, "command": "python3 -m checkout.server --port 0"}],
            "curve": [int(used * random_.uniform(.82, 1)) for _ in range(48)], "curve_step_ms": limit_s * 1000 // 48}


def one_run(random_, project, start, queued, words, seconds, megabytes, fails):
    user, agent = random_.choice(PEOPLE)
    duration = int(seconds * 1000 * random_.lognormvariate(0, .35))
    peak = int(megabytes * random_.uniform(.8, 1.15)) << 10
    record = {"schema": 1, "id": run_id(random_), "project": project, "lane": project + "/.git/onelane",
              "tool": words[0], "argv": list(words), "cwd": project, "branch": random_.choice(BRANCHES),
              "class": "lane", "user": user, "uid": 1000, "agent": agent, "queued_wall_ms": queued,
              "waited_ms": start - queued, "started_wall_ms": start, "ended_wall_ms": start + duration,
              "duration_ms": duration, "code": 0, "reason": "exited", "peak_tree_kb": peak,
              "peak_process_kb": peak * 6 // 10, "peak_processes": random_.randrange(2, 12),
              "cpu_ms": duration * 2, "empty": True}
    if random_.random() < fails:
        record["code"] = random_.choice((1, 1, 1, 2, 2, 127))
    return record


def end_badly(random_, record):
    """Turns a run into one that was ended by a limit."""
    if record["tool"] in ("npm", "vitest"):
        record.update(code=137, reason="memory")
        record["card"] = memory_card(random_, record, 2048)
    else:
        record.update(code=124, reason="timeout", duration_ms=600_000)
        record["ended_wall_ms"] = record["started_wall_ms"] + 600_000
        record["card"] = time_card(random_, record, 600)


def runs_of(project, count, end, days=6, seed=7, ended=3):
    """`count` records, oldest first, the last of which ended at about `end` (milliseconds)."""
    random_ = random.Random(seed)
    bad = set(random_.sample(range(count // 5, count), min(ended, count - count // 5)))
    begin = end - days * 86_400_000
    # Work comes in bursts: several calls at once, then a pause.
    at, free, records, left = float(begin), begin, [], count
    pause = days * 86_400_000 / max(1, count / 3.2)
    while left > 0:
        burst = min(left, random_.choice((1, 1, 2, 3, 4, 6)))
        at = max(at, free) + random_.expovariate(1 / pause)
        for _ in range(burst):
            left -= 1
            queued = int(at + random_.uniform(0, 20_000))
            start = max(queued, free)
            work = random_.choice(WORK)
            record = one_run(random_, project, start, queued, *work)
            if len(records) in bad:
                if record["tool"] == "git":
                    record = one_run(random_, project, start, queued, *WORK[10])
                end_badly(random_, record)
            records.append(record)
            free = start + record["duration_ms"] + 2
    shift = end - records[-1]["ended_wall_ms"]
    for record in records:
        for name in ("queued_wall_ms", "started_wall_ms", "ended_wall_ms"):
            record[name] += shift
    return records


def write_journal(lane, records):
    with open(Path(lane, "runs.jsonl"), "w", encoding="utf-8", errors="surrogateescape") as file:
        for record in records:
            file.write(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n")
