"""The guard in front of the explorer: who gets in, who is told no, and what an answer allows."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from commands.explore import served
from commands.serve import HOST, Guard, listen

TOKEN, PORT = "token-" + "x" * 32, 4321
ORIGIN = f"http://{HOST}:{PORT}"
PAGE = b'<script>run()</script><script src="./a.js"></script><script type="module" data-a>x\n</script>'


async def app(scope, receive, send):
    """Answers everything; a page at /, else text."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    kind = b"text/html; charset=utf-8" if scope["path"] == "/" else b"text/plain"
    headers = [(b"content-type", kind), (b"X-Frame-Options", b"ALLOW")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE[:20], "more_body": True})
    await send({"type": "http.response.body", "body": PAGE[20:]})


class Answer:
    def __init__(self, messages):
        self.first = messages[0]
        self.status = self.first.get("status")
        self.headers: dict[bytes, str] = {}
        for name, value in self.first.get("headers", ()):
            # a header that is set twice would be two policies
            assert name.lower() not in self.headers
            self.headers[name.lower()] = value.decode()
        self.body = b"".join(m.get("body", b"") for m in messages[1:])


GUARD = Guard(app, TOKEN, PORT, served)


def ask(path="/", query="", kind="http", guard=GUARD, **headers):
    given = {"host": f"{HOST}:{PORT}", **headers}
    listed = [
        (name.encode(), v.encode())
        for name, value in given.items()
        for v in ([value] if isinstance(value, str) else value)
    ]
    scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": listed, "method": "GET"}
    sent = []

    async def receive():
        return {"type": f"{kind}.connect" if kind == "websocket" else "http.request"}

    async def send(message):
        sent.append(message)

    # in a thread of its own: where a browser is open, this one has an event loop already
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(guard(scope, receive, send))).result()
    return Answer(sent)


def entered(guard=GUARD):
    return ask(query=f"access_token={TOKEN}", guard=guard).headers[b"set-cookie"].split(";")[0]


def test_the_token_opens_the_door_and_leaves_the_address():
    answer = ask("/", f"page=loosened&access_token={TOKEN}&w0=1.5")
    assert (answer.status, answer.headers[b"location"]) == (303, "/?page=loosened&w0=1.5")
    cookie = answer.headers[b"set-cookie"]
    assert TOKEN not in cookie
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Lax"}
    assert ask(cookie=cookie.split(";")[0]).status == 200
    assert ask(cookie="other=1; " + cookie.split(";")[0]).status == 200


def test_the_redirect_stays_on_this_server():
    assert ask("//evil.example/", f"access_token={TOKEN}").status == 404
    answer = ask("/", f"next=%0d%0aSet-Cookie:a&access_token={TOKEN}")
    assert answer.headers[b"location"] == "/?next=%0D%0ASet-Cookie%3Aa"


@pytest.mark.parametrize("path", ["/", "/ws", "/assets/index.js", "/api/kernel/set_ui_element_value", "/nothing"])
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"query": "access_token="},
        {"query": "access_token=wrong"},
        {"query": f"access_token={TOKEN[:-1]}"},
        {"query": f"token={TOKEN}"},
        {"cookie": "filterlaw-4321=wrong"},
        {"cookie": f"filterlaw-4321={TOKEN}"},
        {"cookie": "filterlaw-4321=\x80; =;"},
        {"authorization": f"Bearer {TOKEN}"},
    ],
)
def test_nobody_enters_without_the_token(path, extra):
    answer = ask(path, **extra)
    assert answer.status == 403
    assert b"it carries the key" in answer.body
    socket_answer = ask(path, kind="websocket", origin=ORIGIN, **extra)
    assert socket_answer.first["type"] == "websocket.close"


def test_a_token_of_another_server_is_none():
    assert ask(cookie=entered(Guard(app, TOKEN, PORT, served))).status == 403


TWICE = [f"{HOST}:{PORT}", "evil.example"]


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", HOST, f"{HOST}:80", f"[::1]:{PORT}", "", TWICE, []]
)
def test_another_host_is_refused(host):
    cookie = entered()
    assert ask(cookie=cookie, host=host).status == 400
    assert ask(kind="websocket", cookie=cookie, origin=ORIGIN, host=host).first["type"] == "websocket.close"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", f"https://{HOST}:{PORT}", f"http://{HOST}", "null", "", [ORIGIN, "http://evil.example"]],
)
def test_another_origin_is_refused(origin):
    cookie = entered()
    assert ask(cookie=cookie, origin=origin).status == 403
    assert ask(kind="websocket", cookie=cookie, origin=origin).first["type"] == "websocket.close"


def test_this_origin_may():
    cookie = entered()
    assert ask(cookie=cookie, origin=ORIGIN).status == 200
    assert ask(cookie=cookie, origin=f"http://LOCALHOST:{PORT}", host=f"localhost:{PORT}").status == 200
    assert ask("/ws", kind="websocket", cookie=cookie, origin=ORIGIN).first["type"] == "websocket.accept"
    # a browser always says where a WebSocket comes from
    assert ask("/ws", kind="websocket", cookie=cookie).first["type"] == "websocket.close"


@pytest.mark.parametrize(
    "path", ["/terminal/ws", "/api/files/list_files", "/login", "/assets/../x", "/auth/login", "/api"]
)
def test_what_the_pages_do_not_need_does_not_exist(path):
    assert ask(path, cookie=entered()).status == 404
    assert ask(path, kind="websocket", cookie=entered(), origin=ORIGIN).first["type"] == "websocket.close"


def test_answers_forbid_other_servers():
    answer = ask(cookie=entered())
    policy = dict(part.strip().split(" ", 1) for part in answer.headers[b"content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    # one hash for each inline script, of these bytes: openssl dgst -sha256 -binary | base64
    assert policy["script-src"].split()[1:] == [
        "'sha256-AvyuiL0SD1mVY3NNxR+V2uo+lhk6RMFrytWmRt6CrJQ='",
        "'sha256-c8s4WKaHqElMozIwUwFigvPa051Cz2LKTnndoqrH2aw='",
    ]
    assert policy["frame-ancestors"] == "'none'"
    assert not [
        word
        for rule in policy.values()
        for word in rule.split()
        if "//" in word and HOST not in word and "localhost" not in word
    ]
    assert answer.headers[b"x-frame-options"] == "DENY"
    assert answer.body == PAGE
    assert ask("/assets/a.js", cookie=entered()).body == PAGE
    assert b"content-security-policy" in ask("/assets/a.js", cookie=entered()).headers


def test_refusals_say_nothing_of_the_server():
    answer = ask(host="evil.example")
    assert answer.body == b"filterlaw: unknown host\n"
    assert answer.headers[b"x-content-type-options"] == "nosniff"


def test_a_port_is_taken_once():
    with listen(None, 0) as first:
        port = first.getsockname()[1]
        assert first.getsockname()[0] == HOST
        with pytest.raises(
            ValueError, match=rf"port {port} cannot be used \(address already in use\); leave --port out"
        ):
            listen(port, 0)
        with listen(None, port) as second:
            assert second.getsockname()[1] not in (0, port)


def test_a_port_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="port must be at most 65535, got 70000"):
        listen(70000, 0)


def test_only_this_machine_is_listened_to():
    with listen(None, 0) as listener, socket.socket() as other:
        other.settimeout(2)
        other.connect(listener.getsockname())
        assert other.getpeername()[0] == HOST
