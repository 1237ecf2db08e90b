"""`filterlaw explore`: the explorer, served to this machine's browser alone."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from inspect import isawaitable
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from commands.options import BadInput, bad_input, integer, quoted

if TYPE_CHECKING:
    from commands.serve import Application

USUAL_PORT = 8642
FORGOTTEN_AFTER = 10
"""Seconds after which the server gives up a tab that was closed."""
SERVED = ("/assets/", "/api/kernel/", "/@file/", "/public/")
"""What the pages need of marimo's server, besides the files below; all the rest of it is refused."""
SERVED_FILES = frozenset(
    {
        "/",
        "/ws",
        "/health",
        "/favicon.ico",
        "/manifest.json",
        "/logo.png",
        "/apple-touch-icon.png",
        "/custom.css",
        "/public-files-sw.js",
    }
)


def explore(
    port: Annotated[
        int | None,
        typer.Option("--port", parser=integer("port", 1), metavar="N", help="Port (default: 8642, or a free one)."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    page: Annotated[str | None, typer.Option("--page", metavar="KEY", help="The page to open.")] = None,
) -> int:
    """Explore interactively: move an assumption's slider and see which claim falls.

    Serves a web page to this machine alone, behind a key that the printed address carries. Ctrl-C ends it.
    """
    # a picture must not wait for threads of which there are more than free cores
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if find_spec("marimo") is None:
        raise BadInput("explore needs marimo: pip install 'filterlaw[explore]'")
    from figures.explore import PAGES

    if page is not None and page not in PAGES:
        raise BadInput(f"page must be one of {', '.join(PAGES)}, got {quoted(page)}")
    from commands.serve import HOST, TOKEN, Guard, listen
    from sim.files import atomic_write, require_writable

    with bad_input():
        listener = listen(port, USUAL_PORT)
    environment = dict(os.environ)
    with listener, tempfile.TemporaryDirectory(prefix="filterlaw-") as folder:
        # marimo would read the user's own settings, and write there
        atomic_write(require_writable(os.path.join(folder, "marimo", "marimo.toml")), '[display]\ntheme = "system"\n')
        os.environ.update(dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), folder))
        actual = int(listener.getsockname()[1])
        token = secrets.token_urlsafe(32)
        guarded = Guard(application(), token, actual, served)
        query = {} if page is None else {"page": page}
        address = f"http://{HOST}:{actual}/?{urlencode({**query, TOKEN: token})}"
        print(f"The explorer is at\n  {address}\nCtrl-C ends it.", flush=True)
        if browser:
            _open(address, environment)
        _serve(guarded, listener)
    return 0


def application() -> Application:
    """The explorer as an ASGI application that nothing guards yet."""
    import marimo

    spec = find_spec("figures.explorer")
    assert spec is not None
    assert spec.origin is not None
    builder = marimo.create_asgi_app(quiet=True, session_ttl=FORGOTTEN_AFTER)
    app: Any = builder.with_app(path="", root=spec.origin).build()
    app.router.lifespan_context = _closing_sessions
    served_by: Application = app
    return served_by


@asynccontextmanager
async def _closing_sessions(app: Any) -> AsyncIterator[None]:
    """Ends marimo's sessions with the server: their threads would keep the process from ending for ever.

    The application's own life span, which would do so, is not run where it is mounted in another.
    """
    yield
    for route in app.routes:
        manager = getattr(getattr(getattr(route, "app", None), "state", None), "session_manager", None)
        ended = manager.shutdown() if manager is not None else None
        if isawaitable(ended):
            await ended


def served(path: str) -> bool:
    """Whether the pages need this path."""
    return path in SERVED_FILES or (path.startswith(SERVED) and ".." not in path)


def _open(address: str, environment: Mapping[str, str]) -> None:
    """Open a browser with the user's own environment; the address that was printed remains if there is none."""
    subprocess.Popen(
        [sys.executable, "-m", "webbrowser", "-t", address],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _serve(app: Application, listener: object) -> None:
    """Serve until Ctrl-C, which is how a server ends: no failure."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
        ws_max_size=2**20,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])  # type: ignore[list-item]
    except KeyboardInterrupt:
        # a second one, while children are ended, must not leave half of them
        signal.signal(signal.SIGINT, signal.SIG_IGN)
