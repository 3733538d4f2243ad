#!/usr/bin/python3
"""The page of `onelane report --html` in a real browser: it renders, sorts, filters, fits a phone,
follows the colour scheme, and nothing that a run was called ever becomes markup or script.

    tests/integration/report_page.py CASE    ONELANE_BINARY names the executable under test

Exit status 125 with a reason where there is no Chromium. Standard library only.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import journal_maker  # noqa: E402
from browser import Browser, Missing  # noqa: E402

BINARY = os.environ.get("ONELANE_BINARY", "build/dev/onelane")
ROOT = Path(__file__).resolve().parents[2]
PICTURES = Path(os.environ.get("ONELANE_PICTURES", ROOT / "build/pictures"))
ENTER = "\ue007"
HOSTILE = (
    "</script><img src=x onerror=window.hacked=1>", "<!--<script>window.hacked=1</script>", "]]><svg onload=hacked=1>",
    "\x1b[2J\x1b]0;title\x07red", "\u2028window.hacked=1//\u2029", "\u202egnp.exe", "&lt;b&gt;&amp;", "'\"`${window.hacked=1}",
    "javascript:window.hacked=1", "x" * 65536, "\udc80\udcfe\udcff", "{{script}}{{data}}", "__proto__", "",
)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(actual, expected, what):
    expect(actual == expected, f"{what}: {actual!r}, expected {expected!r}")


def page(folder, records):
    """A project with these records; the path of its page."""
    lane = journal_maker.make_project(folder / "shop")
    if records is not None:
        # Bytes that are not UTF-8 go into the file as they are, as from a torn or foreign writer.
        journal_maker.write_journal(lane, records)
    path = folder / "report.html"
    subprocess.run([os.path.abspath(BINARY), "report", "--html", str(path), "--since", "all"],
                   cwd=folder / "shop", check=True, timeout=120)
    return path


def sample(folder, count, **options):
    return journal_maker.runs_of(str(folder / "shop"), count, int(time.time() * 1000), **options)


def hostile_runs(folder):
    records = sample(folder, len(HOSTILE) * 2, ended=0)
    for index, record in enumerate(records):
        text = HOSTILE[index % len(HOSTILE)]
        record.update(argv=["make", text], branch=text[:300], user=text[:40], agent=text[:40], cwd=text[:900])
        if index < len(HOSTILE):
            record.update(tool=text[:60], reason="memory", code=137)
            record["card"] = {
                "cause": text[:99], "used": 2e9, "limit": 1 << 30, "limit_name": text[:99], "limit_place": text[:999],
                "change": text[:99], "curve": [1, "2", None, {"a": text[:9]}, -5, 1e300, 7], "curve_step_ms": 50,
                "tree": [{"pid": 1, "parent": 1, "bytes": -1, "command": text[:999]}, None, 5, {"pid": text[:9]}]}
    far = 2 ** 63 - 1
    records[1].update(started_wall_ms=far, duration_ms=far, waited_ms=far, queued_wall_ms=-far)
    records[2].update(started_wall_ms=8640000000000001, ended_wall_ms=far)  # later than any Date
    records[0]["card"] = {"tree": {}, "curve": "no", "limit": "a", "used": None, "pid": []}
    return records


def column(browser, index):
    return browser.run("return [...document.querySelectorAll('#runs-table tbody tr')]"
                       ".map(row => row.cells[arguments[0]].textContent)", index)


def drawn_pixels(browser):
    """How many pixels of the timeline are not empty, by colour."""
    return browser.run("""
        const canvas = document.getElementById('canvas'), seen = {};
        const bytes = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        for (let at = 0; at < bytes.length; at += 4)
          if (bytes[at + 3] === 255) { const key = bytes.slice(at, at + 3).join(); seen[key] = (seen[key] || 0) + 1; }
        return seen;""")


def colour(browser, name):
    text = browser.run("return getComputedStyle(document.documentElement).getPropertyValue('--' + arguments[0]).trim()", name)
    return ",".join(str(int(text[i:i + 2], 16)) for i in (1, 3, 5))


def fits(browser, what):
    wide, inner = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    expect(wide <= inner, f"{what}: {wide} px wide in a window of {inner}")


def case_renders(browser, folder):
    records = sample(folder, 120, days=.4)
    browser.show(1280, 1000)
    browser.open(page(folder, records))
    equal(browser.run("return document.getElementById('name').textContent"), "shop", "name")
    figures = browser.run("return [...document.querySelectorAll('.figures dd.number')].map(e => e.textContent)")
    waited = sum(record["waited_ms"] >= 100 for record in records)
    equal(figures[:2] + figures[3:4], ["120", str(waited), "3"], "figures")
    equal(browser.run("return document.querySelectorAll('.card').length"), 3, "kill cards")
    equal(browser.run("return document.querySelectorAll('.card svg .curve-line').length"), 3, "curves")
    equal(len(column(browser, 0)), 50, "rows at first")
    browser.click("#runs-more button")
    equal(len(column(browser, 0)), 120, "rows after 'Show more'")
    pixels = drawn_pixels(browser)
    for name in ("run", "bad", "over"):
        expect(pixels.get(colour(browser, name), 0) > 20, f"no {name} in the timeline: {len(pixels)} colours")
    fits(browser, "desktop")
    browser.picture(PICTURES / "light.png")


def case_sorts(browser, folder):
    records = sample(folder, 45)
    browser.show(1280, 1000)
    browser.open(page(folder, records))
    newest_first = [" ".join(record["argv"]) for record in reversed(records)]
    equal(column(browser, 1), newest_first, "newest first")
    heading = "#runs-table th:nth-child(2) button"
    browser.click(heading)
    equal(column(browser, 1), sorted(newest_first), "by command")
    browser.type(heading, ENTER)
    equal(column(browser, 1), sorted(newest_first, reverse=True), "by command, with the keyboard")
    sorts = browser.run("return [...document.querySelectorAll('#runs-table th')].map(e => e.getAttribute('aria-sort'))")
    equal(sorts, [None, "descending"] + [None] * 6, "aria-sort")
    browser.click("#runs-table th:nth-child(6) button")
    by_time = sorted(records, key=lambda record: -record["duration_ms"])
    equal(column(browser, 1)[:3], [" ".join(record["argv"]) for record in by_time[:3]], "longest first")


def case_filters(browser, folder):
    records = sample(folder, 45)
    browser.show(1280, 1000)
    browser.open(page(folder, records))
    browser.type("#filter", "PYTEST auto")
    wanted = [record for record in reversed(records) if record["argv"][:3] == ["pytest", "-n", "auto"]]
    expect(wanted, "the sample has no such run")
    equal(column(browser, 1), [" ".join(record["argv"]) for record in wanted], "filtered")
    browser.type("#filter", " no such thing")
    equal(column(browser, 1), [], "nothing matches")
    equal(browser.run("return document.getElementById('runs-more').textContent"), "Nothing matches.", "and says so")
    browser.run("const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
    browser.click("#chips button:last-child")
    equal(set(column(browser, 7)), {"memory limit" if r["reason"] == "memory" else "time limit"
                                    for r in records if r["code"] in (124, 137)}, "ended ones")


def case_timeline(browser, folder):
    browser.show(1280, 1000)
    browser.open(page(folder, sample(folder, 30, days=.2)))
    equal(browser.run("return document.getElementById('zoom-out').disabled"), True, "all is shown at first")
    first = browser.run("return data.runs[0].command")
    browser.type("#canvas", "\ue014")  # arrow right
    expect(browser.run("return document.getElementById('readout').textContent").startswith(first), "first run")
    browser.type("#canvas", "+")
    equal(browser.run("return document.getElementById('zoom-out').disabled"), False, "zoomed")
    browser.click("#zoom-all")
    browser.run("""
        const canvas = document.getElementById('canvas'), box = canvas.getBoundingClientRect();
        for (let x = 0; x < box.width && document.getElementById('tip').hidden; x += 3)
          canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + x, clientY: box.top + 30 }));""")
    equal(browser.run("return document.getElementById('tip').hidden"), False, "details beside the pointer")
    browser.picture(PICTURES / "tip.png")


def case_hostile(browser, folder):
    browser.show(1280, 1000)
    path = page(folder, hostile_runs(folder))
    source = path.read_bytes()
    equal(source.count(b"</script"), 2, "ends of scripts in the source")
    source.decode("utf-8")  # strictly
    browser.open(path)
    # A line that is not UTF-8 is no record: that text is meant for the reader of the journal.
    equal(browser.run("return [window.hacked, document.images.length, document.scripts.length, data.runs.length]"),
          [None, 0, 2, 2 * len(HOSTILE) - 2], "hacked, images, scripts, runs")
    equal(browser.run("return document.querySelectorAll('svg:not(.curve svg), [onload], [onerror], iframe, script[src]').length"),
          0, "foreign elements")
    equal(browser.run("return document.querySelectorAll('tbody tr').length > 20"), True, "rows")
    expect(any("</script><img src=x" in text for text in column(browser, 1)), "shown as it is")
    expect(not browser.run("return /[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]/.test(document.body.innerText)"), "control characters")
    fits(browser, "hostile")
    browser.show(390, 844, touch=True)
    fits(browser, "hostile, phone")


def case_phone(browser, folder):
    browser.show(390, 844, touch=True)
    browser.open(page(folder, sample(folder, 120, days=.4)))
    fits(browser, "phone")
    small = browser.run("return [...document.querySelectorAll('button')].filter(e => e.offsetHeight && e.offsetHeight < 36).length")
    equal(small, 0, "buttons too small for a finger")
    browser.picture(PICTURES / "phone.png", whole=True)
    browser.show(320, 600, touch=True)
    fits(browser, "a very small phone")


def case_dark(browser, folder):
    path = page(folder, sample(folder, 60, days=.2))
    paper = "return getComputedStyle(document.body).backgroundColor"
    browser.show(1280, 1000)
    browser.open(path)
    light = browser.run(paper), colour(browser, "run")
    browser.show(1280, 1000, dark=True)
    dark = browser.run(paper), colour(browser, "run")
    expect(light[0] != dark[0] and light[1] != dark[1], f"the same colours: {light}")
    # The timeline is redrawn without reloading the page.
    deadline = time.monotonic() + 30
    while drawn_pixels(browser).get(dark[1], 0) < 20:
        expect(time.monotonic() < deadline, "the timeline has kept its colours")
        time.sleep(.05)
    browser.picture(PICTURES / "dark.png")


def case_many(browser, folder):
    browser.show(1280, 1000)
    browser.open(page(folder, sample(folder, 10_500, days=30)))
    equal(browser.run("return [data.runs.length, document.querySelectorAll('#runs-table tbody tr').length]"), [10_000, 50], "runs, rows")
    equal(browser.run("return document.querySelector('.figures dd.number').textContent"), "10,500", "the figures count all")
    browser.type("#filter", "make")
    expect(len(column(browser, 0)) == 50, "filter")
    took = browser.run("const from = performance.now(); document.getElementById('zoom-in').click(); return performance.now() - from")
    expect(took < 2000, f"zooming takes {took} ms")
    equal(browser.run("return older.reduce((sum, hour) => sum + hour.runs, 0)"), 500, "older runs in the timeline")
    foot = browser.run("return document.getElementById('foot').textContent")
    expect("the newest 10,000 of 10,500 runs" in foot and "older ones by the hour" in foot, foot)
    browser.picture(PICTURES / "many.png")


def case_empty(browser, folder):
    browser.show(1280, 700)
    browser.open(page(folder, None))
    text = browser.run("return document.body.innerText")
    expect("Nothing has run here yet." in text, text)
    browser.picture(PICTURES / "empty.png")


def main():
    cases = {name[5:]: function for name, function in globals().items() if name.startswith("case_")}
    names = sys.argv[1:] or list(cases)
    PICTURES.mkdir(parents=True, exist_ok=True)
    try:
        with Browser() as browser, tempfile.TemporaryDirectory(prefix="onelane-page-") as root:
            for name in names:
                folder = Path(root, name)
                folder.mkdir()
                cases[name](browser, folder)
                equal(browser.complaints(), [], f"{name}: errors in the console")
                print("ok", name)
    except Missing as missing:
        print(f"SKIP: {missing}")
        return 125
    return 0


sys.exit(main())
