"""Chromium without a screen, driven through chromedriver's HTTP protocol (W3C WebDriver) with the
standard library alone. Raises Missing, with the reason, where it cannot run here."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

START_SECONDS = 60
CALL_SECONDS = 120
# Chromium must not call home, and as root it has no sandbox of its own.
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for a reference


class Missing(Exception):
    """Raised when no browser can be used, with the reason."""


def found(*names):
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise Missing(f"{names[0]} is not installed (install/packages.sh test)")


class Browser:
    """One browser with one window; a context manager that ends every process it started."""

    def __init__(self, width=1280, height=900, scale=1):
        self.driver = found("chromedriver")
        self.binary = found("chromium", "chromium-browser")
        self.size = (width, height)
        self.scale = scale

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="onelane-browser-")
        self.log = open(os.path.join(self.home, "log"), "w+", encoding="utf-8")
        environment = {**os.environ, "HOME": self.home, "TMPDIR": self.home, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen([self.driver, "--port=0"], stdout=self.log, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        try:
            self.base = f"http://127.0.0.1:{self.port()}/session"
            self.base += "/" + self.open_session()
        except BaseException:
            self.__exit__()
            raise
        return self

    def port(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with open(self.log.name, encoding="utf-8") as log:
                said = re.search(r"successfully on port (\d+)", log.read())
            if said:
                return int(said[1])
            if self.process.poll() is not None:
                break
            time.sleep(.05)
        raise Missing("chromedriver does not start here")

    def open_session(self):
        arguments = [*OPTIONS, f"--user-data-dir={self.home}/profile",
                     f"--window-size={self.size[0]},{self.size[1]}"]
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"binary": self.binary, "args": arguments},
                  "goog:loggingPrefs": {"browser": "ALL"}}
        return self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def __exit__(self, *_):
        try:
            if hasattr(self, "base") and self.base.count("/") > 3:
                self.call("DELETE", "", None)
        except (OSError, RuntimeError):
            pass
        # Browser and driver share the session that we made for them.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def call(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=CALL_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode(errors='replace')[:2000]}") from None

    def command(self, name, parameters=None):
        """A command of the DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters or {}})

    def show(self, width, height, dark=False, touch=False):
        """Sets the window size and the media features that the page sees."""
        self.command("Emulation.setDeviceMetricsOverride",
                     {"width": width, "height": height, "deviceScaleFactor": self.scale, "mobile": touch})
        self.command("Emulation.setTouchEmulationEnabled", {"enabled": touch})
        self.command("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, path):
        self.call("POST", "/url", {"url": "file://" + os.path.abspath(path)})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, keys):
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": keys})

    def complaints(self):
        """The errors and warnings that the page wrote to the console since the last call."""
        entries = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def picture(self, path, whole=False):
        parameters = {"format": "png"}
        if whole:
            size = self.command("Page.getLayoutMetrics")["cssContentSize"]
            parameters.update(captureBeyondViewport=True, clip={
                "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.command("Page.captureScreenshot", parameters)["data"]))
