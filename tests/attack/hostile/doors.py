"""Requests to the explorer from elsewhere: every route of the running application, something wrong in each request.

The explorer listens at a port of its own, in a process of its own. Its routes are those that its application has.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commands.explore import application, served
from commands.serve import HOST, TOKEN

ROOT = Path(__file__).parents[3]
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
REFUSED = (400, 403)
"""What the guard answers: an unknown host, or a foreign origin or no key."""


@dataclass(frozen=True)
class Door:
    """A running explorer: its port, its key, and the cookie that the key gives."""

    port: int
    key: str
    cookie: str
    process: int

    @property
    def host(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"


@dataclass(frozen=True)
class Knock:
    """A request with something wrong in it: how it changes headers and path; sent with the cookie unless it says so."""

    label: str
    headers: Callable[[Door], Mapping[str, str | None]] = lambda door: {}
    path: Callable[[Door, str], str] = lambda door, path: path
    method: str = "GET"


KNOCKS = (
    Knock("no key", lambda door: {"Cookie": None}),
    Knock("a wrong key", lambda door: {"Cookie": None}, lambda door, path: f"{path}?{TOKEN}=wrong"),
    Knock("an empty key", lambda door: {"Cookie": None}, lambda door, path: f"{path}?{TOKEN}="),
    Knock("most of the key", lambda door: {"Cookie": None}, lambda door, path: f"{path}?{TOKEN}={door.key[:-1]}"),
    Knock("the key under another name", lambda door: {"Cookie": None}, lambda door, path: f"{path}?token={door.key}"),
    Knock("the key in a header", lambda door: {"Cookie": None, "Authorization": f"Bearer {door.key}"}),
    Knock("the key in the cookie", lambda door: {"Cookie": f"{door.cookie.split('=')[0]}={door.key}"}),
    Knock("a wrong cookie", lambda door: {"Cookie": f"{door.cookie.split('=')[0]}=wrong"}),
    Knock("the cookie of another port", lambda door: {"Cookie": door.cookie.replace(str(door.port), "1")}),
    Knock("a foreign host", lambda door: {"Host": "evil.example"}),
    Knock("a foreign host at the same port", lambda door: {"Host": f"evil.example:{door.port}"}),
    Knock("a host that begins with ours", lambda door: {"Host": f"127.0.0.1.evil.example:{door.port}"}),
    Knock("a host that ends with ours", lambda door: {"Host": f"evil.localhost:{door.port}"}),
    Knock("our host at another port", lambda door: {"Host": f"{HOST}:{door.port + 1}"}),
    Knock("our host without a port", lambda door: {"Host": HOST}),
    Knock("our address written as a number", lambda door: {"Host": f"2130706433:{door.port}"}),
    Knock("any address", lambda door: {"Host": f"0.0.0.0:{door.port}"}),
    Knock("the address of version 6", lambda door: {"Host": f"[::1]:{door.port}"}),
    Knock("an empty host", lambda door: {"Host": ""}),
    Knock("a foreign origin", lambda door: {"Origin": "http://evil.example"}),
    Knock("an origin that begins with ours", lambda door: {"Origin": f"{door.origin}.evil.example"}),
    Knock("our origin, encrypted", lambda door: {"Origin": f"https://{door.host}"}),
    Knock("our origin at another port", lambda door: {"Origin": f"http://{HOST}:{door.port + 1}"}),
    Knock("an origin that is null", lambda door: {"Origin": "null"}),
    Knock("an origin of a file", lambda door: {"Origin": "file://"}),
    Knock(
        "another server's address before the path",
        lambda door: {"Cookie": None},
        lambda _, path: f"http://evil.example{path}",
    ),
    Knock("two slashes before the path", lambda door: {"Cookie": None}, lambda _, path: f"/{path}"),
    Knock("dots in the path", lambda door: {"Cookie": None}, lambda _, path: f"/assets/..{path}"),
    Knock("dots in the path, encoded", lambda door: {"Cookie": None}, lambda _, path: f"/assets/%2e%2e{path}"),
    Knock("a post without a key", lambda door: {"Cookie": None, "Origin": door.origin}, method="POST"),
    Knock("a post from elsewhere", lambda door: {"Origin": "http://evil.example"}, method="POST"),
    Knock("a question about rights from elsewhere", lambda door: {"Origin": "http://evil.example"}, method="OPTIONS"),
)  # fmt: skip


def requests() -> list[tuple[Knock, bool]]:
    """Every wrong request, as it is and as one for a WebSocket, which only a GET can be."""
    return [(knock, upgrade) for knock in KNOCKS for upgrade in (False, True) if knock.method == "GET" or not upgrade]


def routes() -> list[str]:
    """Every path of the application that the guard stands before, HTTP and WebSocket, with parameters filled in."""
    from starlette.routing import Mount

    def paths(found: Any, before: str = "") -> Iterator[str]:
        for route in found:
            path = before + str(getattr(route, "path", ""))
            inner = getattr(route, "routes", None) or getattr(getattr(route, "app", None), "routes", None)
            yield from paths(inner, path) if isinstance(route, Mount) and inner else [path]

    app: Any = application()
    listed = {re.sub(r"\{(\w+)(:\w+)?\}", r"\1", path) or "/" for path in paths(app.routes)}
    return sorted(listed)


@contextmanager
def running() -> Iterator[Door]:
    """An explorer that runs meanwhile."""
    home = tempfile.mkdtemp(prefix="hostile-")
    process = subprocess.Popen(
        [sys.executable, "-m", "filterlaw", "explore", "--no-browser"],
        cwd=ROOT,
        env={**os.environ, "HOME": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        address = next((found for line in process.stdout if (found := re.search(r"http://\S+", line))), None)
        if address is None:
            raise RuntimeError("the explorer did not say its address")
        parts = urlsplit(address.group())
        key = parts.query.removeprefix(f"{TOKEN}=")
        assert parts.port is not None
        bare = Door(parts.port, key, "", process.pid)
        yield Door(parts.port, key, _cookie(bare), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _cookie(door: Door) -> str:
    _, headers = _answer(door, f"/?{TOKEN}={door.key}", {})
    return headers["set-cookie"].split(";")[0]


def let_in(door: Door, path: str, knock: Knock, *, upgrade: bool) -> str | None:
    """What is wrong with the answer to a request that must be refused, None if it was refused."""
    given = knock.headers(door)
    own = {"Host": door.host, "Cookie": door.cookie, **({"Origin": door.origin, **UPGRADE} if upgrade else {})}
    headers = {name: value for name, value in {**own, **given}.items() if value is not None}
    status, _ = _answer(door, knock.path(door, path), headers, knock.method)
    return None if status in REFUSED else f"{'upgrade' if upgrade else knock.method} {path}, {knock.label}: {status}"


def let_down(door: Door, path: str) -> str | None:
    """What is wrong with the answer to a right request: what the pages need passes, all other paths are not there."""
    status, _ = _answer(door, path, {"Host": door.host, "Cookie": door.cookie})
    right = status not in REFUSED if served(path) else status == 404
    return None if right else f"GET {path} with all in order: {status}"


def socket_opens(door: Door) -> bool:
    """Whether a WebSocket opens for a request in which nothing is wrong."""
    headers = {"Host": door.host, "Cookie": door.cookie, "Origin": door.origin, **UPGRADE}
    return _answer(door, f"/ws?session_id=s_{door.port}", headers)[0] == 101


def listening(process: int) -> list[str]:
    """The addresses at which a process and its children listen, in the system's own list."""
    own = {process, *(int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(path) == process)}
    sockets = set()
    for each in own:
        for link in Path(f"/proc/{each}/fd").glob("*"):
            try:
                sockets.add(os.readlink(link))
            except OSError:
                continue
    found = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                host = bytes.fromhex(fields[1].split(":")[0])
                found.append(socket.inet_ntoa(host[::-1]) if name == "tcp" else host.hex())
    return found


def _parent(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def _answer(door: Door, path: str, headers: Mapping[str, str], method: str = "GET") -> tuple[int, dict[str, str]]:
    """Status and headers of an answer, without following it; 400 where the connection was closed without one."""
    connection = http.client.HTTPConnection(HOST, door.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    except (http.client.HTTPException, ConnectionError):
        return 400, {}
    finally:
        connection.close()
