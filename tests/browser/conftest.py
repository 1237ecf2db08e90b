"""A real browser, driven as a person would, with every request to another machine blocked and counted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass
class Heard:
    """What pages did that they should not: requests to other machines, errors, and what they wrote to the console."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser that is installed here; the tests are skipped, with the reason, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs Chromium (Debian, Ubuntu: apt-get install chromium)")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def new_page(browser: Any, heard: Heard) -> Iterator[Callable[..., Any]]:
    """new_page(width, height, **options of the context): a page of its own, watched; closed at the end of the test."""
    contexts = []

    def watch(route: Any) -> None:
        url = urlsplit(route.request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname not in LOCAL:
            heard.outside.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    def make(width: int = 1280, height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.route("**/*", watch)
        page = context.new_page()
        page.on("pageerror", lambda error: heard.errors.append(str(error)))
        page.on("console", lambda said: heard.errors.append(said.text) if said.type in ("error", "warning") else None)
        return page

    yield make
    for context in contexts:
        context.close()
