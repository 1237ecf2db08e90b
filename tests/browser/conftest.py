"""A browser, and an explorer that is served to it: one of each for all tests of this room."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SLOW = 100_000
"""Milliseconds: generous, since other tests may fill the machine's cores."""


class Explorer:
    """`filterlaw explore` in a process of its own."""

    def __init__(self, home, *arguments):
        command = [sys.executable, "-m", "filterlaw", "explore", "--no-browser", *arguments]
        # a shell's background jobs ignore Ctrl-C, and so would their children
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ANSWERS_CTRL_C, *command],
            cwd=ROOT,
            env={**os.environ, "HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.output = ""
        while not (found := re.search(r"http://\S+", self.output)):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the explorer ended: {self.process.communicate()[1]}")
            self.output += line
        self.url = found.group()
        self.address = urlsplit(self.url)

    def interrupt(self):
        """Ctrl-C: (status, standard error)."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors

    def end(self):
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


_ANSWERS_CTRL_C = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def explorer(tmp_path_factory):
    """An explorer at a free port."""
    pytest.importorskip("marimo", reason="needs marimo: pip install 'filterlaw[explore]'")
    served = Explorer(tmp_path_factory.mktemp("home"))
    yield served
    served.end()


class Visit:
    """A tab, and all that went on in it: requests to other servers, errors in the console."""

    def __init__(self, context, port):
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(SLOW)
        own = f"127.0.0.1:{port}"

        def answer(route):
            parts = urlsplit(route.request.url)
            if parts.scheme in ("data", "blob", "file") or parts.netloc == own:
                route.continue_()
            else:
                self.foreign.append(route.request.url)
                route.abort()

        context.route("**/*", answer)
        self.page.on("console", lambda message: self.errors.extend([message.text] if message.type == "error" else []))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def until(self, condition, seconds=SLOW / 1000):
        """Wait until a Python condition holds; the page's own events are handled meanwhile."""
        limit = time.monotonic() + seconds
        while not (reached := condition()):
            assert time.monotonic() < limit, "waited too long"
            self.page.wait_for_timeout(5)
        return reached


@pytest.fixture
def visit(browser, explorer, request):
    """A tab of its own, `width` x `height` wide, that fails a test which asked another server or logged an error."""
    size = getattr(request, "param", {"width": 1400, "height": 1000})
    context = browser.new_context(viewport=size)
    visited = Visit(context, explorer.address.port)
    yield visited
    context.close()
    assert visited.foreign == []
    assert visited.errors == []
