"""A real headless Chromium, driven over a pipe by its own protocol: for tests of pages, measurements of them, and pictures.

No driver in between and nothing to install but Debian's `chromium`: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-extensions", "--disable-component-update", "--disable-sync", "--mute-audio"),
)
# It reads from descriptor 3 and writes to 4. A shell that is only POSIX cannot put there what has a number of two digits.
START = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for theirs, number in zip((3, 4), ours):
    os.dup2(number, theirs)
os.execv(sys.argv[3], sys.argv[3:])
"""
SECONDS = 60.0  # the most that anything here waits
KEYS = {"Enter": 13, "Escape": 27, "Home": 36, "End": 35, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32}


class BrowserMissing(Exception):
    """There is no Chromium on this machine; says how to get one."""


class PageError(Exception):
    """The browser refused, or what was waited for did not come."""


def executable() -> str:
    """The browser to use. Raises BrowserMissing."""
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    raise BrowserMissing("no Chromium is installed: apt install chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, both gone afterwards. Raises BrowserMissing."""
    program = executable()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        started = Browser(program, profile)
        try:
            yield started
        finally:
            started.close()


class Browser:
    """One process of the browser."""

    def __init__(self, program: str, profile: str) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        root = ["--no-sandbox"] if os.geteuid() == 0 else []  # its own sandbox does not start for root
        self._process = subprocess.Popen(
            [sys.executable, "-IS", "-c", START, str(theirs_in), str(theirs_out), program, *FLAGS, *root, f"--user-data-dir={profile}"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": profile, "LANG": "C.UTF-8", "TZ": "UTC"}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._number, self._buffer = 0, b""
        self._answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    def page(self, width: int = 1280, height: int = 900) -> Page:
        """A new, empty page."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        return Page(self, self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"], target, width, height)

    def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises PageError."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._write(json.dumps(told).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while self._number not in self._answers:
            self.listen(until)
        answer = self._answers.pop(self._number)
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        found: dict[str, Any] = answer["result"]
        return found

    def listen(self, until: float) -> None:
        """Take in what the browser says next. Raises PageError where it says nothing for too long."""
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(0.0, until - time.monotonic()))[0]:
                raise PageError("the browser does not answer")
            if not (data := os.read(self._in, 1 << 16)):
                raise PageError("the browser has ended")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        said = json.loads(message)
        if "id" in said:
            self._answers[said["id"]] = said
        else:
            self.events.append(said)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except BrokenPipeError as error:
            raise PageError("the browser has ended") from error

    def close(self) -> None:
        """End the process and all its children."""
        os.close(self._out)
        os.close(self._in)
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()


class Page:
    """One page, and what went wrong on it."""

    def __init__(self, browser: Browser, session: str, target: str, width: int, height: int) -> None:
        self._browser, self._session, self._target = browser, session, target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self._ask("Performance.enable", timeDomain="threadTicks")
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url: str, theme: Literal["light", "dark"] = "light") -> None:
        """Load an address and wait until it is there. Raises PageError."""
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        failed = self._ask("Page.navigate", url=url).get("errorText")
        if failed:
            raise PageError(f"{url}: {failed}")
        self.until("document.readyState === 'complete'")

    def run(self, code: str) -> Any:
        """The value of a JavaScript expression. Raises PageError where it throws."""
        found = self._ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise PageError(str(found["exceptionDetails"].get("exception", {}).get("description", found["exceptionDetails"]["text"])))
        return found["result"].get("value")

    def until(self, code: str, seconds: float = SECONDS) -> Any:
        """Wait until an expression is true and return it. Raises PageError."""
        end = time.monotonic() + seconds
        while not (value := self.run(code)):
            if time.monotonic() > end:
                raise PageError(f"this did not come true: {code}")
            time.sleep(0.02)
        return value

    def text(self, selector: str) -> str:
        """What can be read in the first element of this kind. Raises PageError where there is none."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, selector: str) -> None:
        """A real click into the middle of an element. Raises PageError where it is not there."""
        element = f"document.querySelector({json.dumps(selector)})"
        box = self.run(f"({element}.scrollIntoView({{block: 'center'}}), {element}.getBoundingClientRect().toJSON())")
        self.click_at(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def click_at(self, x: float, y: float) -> None:
        """A click at a point of the window."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def press(self, *keys: str) -> None:
        """Keys, one after another; a single character is typed."""
        for key in keys:
            more = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
            code = KEYS.get(key, ord(key[0]))
            for kind in ("keyDown", "keyUp"):
                self._ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **(more if kind == "keyDown" else {}))

    def write(self, text: str) -> None:
        """Type a text where the cursor is."""
        self._ask("Input.insertText", text=text)

    def picture(self, path: Path, height: int | None = None) -> None:
        """Save what is seen as a PNG; `height`: of the top of the page, however small the window."""
        width = self.run("innerWidth")
        clip = {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}, "captureBeyondViewport": True} if height else {}
        path.write_bytes(b64decode(self._ask("Page.captureScreenshot", format="png", **clip)["data"]))

    def painted(self) -> float:
        """Milliseconds from the beginning until something could be read."""
        name = "performance.getEntriesByName('first-contentful-paint')"
        self.until(f"{name}.length")
        return float(self.run(f"{name}[0].startTime"))

    def cpu(self) -> float:
        """CPU seconds that the page's main thread has used for its tasks."""
        found = {each["name"]: each["value"] for each in self._ask("Performance.getMetrics")["metrics"]}
        return float(found["TaskDuration"])

    def troubles(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and content that was refused."""
        self.run("1")  # whatever was said before this is here by now
        return [words for event in self._browser.events if event.get("sessionId") == self._session for words in _trouble(event)]

    def forget(self) -> None:
        """Forget troubles that were provoked."""
        self._browser.events = [
            event for event in self._browser.events if not list(_trouble(event)) or event.get("sessionId") != self._session
        ]

    def asked(self) -> list[str]:
        """The addresses that were asked for, the page's own first."""
        return [
            event["params"]["request"]["url"]
            for event in self._browser.events
            if event.get("sessionId") == self._session and event["method"] == "Network.requestWillBeSent"
        ]

    def close(self) -> None:
        """Close the page."""
        self._browser.ask("Target.closeTarget", targetId=self._target)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **parameters)


def _trouble(event: dict[str, Any]) -> Iterator[str]:
    found = event["params"]
    if event["method"] == "Runtime.exceptionThrown":
        yield str(found["exceptionDetails"].get("exception", {}).get("description", found["exceptionDetails"]["text"]))
    if event["method"] == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
        yield f"{found['entry']['text']} {found['entry'].get('url', '')}".strip()
    if event["method"] == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning"):
        yield " ".join(str(each.get("value", each.get("description", ""))) for each in found["args"])
