"""A web application for this machine and this user alone: a socket on 127.0.0.1, and a guard before every request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
TOKEN = "access_token"
"""The query parameter that carries the token."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


def listen(port: int | None, usual: int) -> socket.socket:
    """A socket that listens on 127.0.0.1: at `port`, or if it is None at the usual port or else at any free one.

    Raises ValueError for a port that is out of range, taken, or not allowed.
    """
    if port is not None and port > 65535:
        raise ValueError(f"port must be at most 65535, got {port}")
    for candidate in (port,) if port is not None else (usual, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            listener.listen()
            return listener
        except OSError as error:
            listener.close()
            if port is not None:
                reason = (error.strerror or str(error)).lower()
                raise ValueError(f"port {port} cannot be used ({reason}); leave --port out to get a free one") from None
    raise ValueError(f"no port on {HOST} is free")


class Guard:
    """An ASGI application that lets through only requests of this machine's browser that know the token.

    Of every HTTP and WebSocket request the Host header must name this server (400), an Origin must be this server
    (403; WebSockets must have one), and the token must come in the query or, after that, in a cookie (403). A page
    asked for with the token is redirected to its address without it, so that an address that is passed on gives
    nobody access. Only paths for which `serves` is true exist (404). Every answer forbids the browser to ask any other
    server for anything.
    """

    def __init__(self, app: Application, token: str, port: int, serves: Callable[[str], bool]) -> None:
        self._app, self._token, self._serves = app, token, serves
        self._hosts = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set())
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie, self._pass = f"filterlaw-{port}", secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1"))
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
        elif scope["type"] == "http" and self._tokens(scope):
            await self._enter(scope, send)
        else:
            await self._app(scope, receive, self._protected(send) if scope["type"] == "http" else send)

    def _refusal(self, scope: Scope, headers: dict[bytes, list[str]]) -> tuple[int, str] | None:
        """Status and reason, or None for a request that may pass."""
        hosts, origins = headers.get(b"host", []), headers.get(b"origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 400, "unknown host"
        if any(origin.lower() not in self._origins for origin in origins):
            return 403, "request from another site"
        if scope["type"] == "websocket" and len(origins) != 1:
            return 403, "no origin"
        if not self._known(scope, headers):
            return 403, "open the address that filterlaw explore printed: it carries the key"
        return None if self._serves(scope["path"]) else (404, "not found")

    def _known(self, scope: Scope, headers: dict[bytes, list[str]]) -> bool:
        if any(hmac.compare_digest(given.encode(), self._token.encode()) for given in self._tokens(scope)):
            return True
        for line in headers.get(b"cookie", []):
            try:
                given = SimpleCookie(line).get(self._cookie)
            except CookieError:
                continue
            if given is not None and hmac.compare_digest(given.value.encode(), self._pass.encode()):
                return True
        return False

    @staticmethod
    def _tokens(scope: Scope) -> list[str]:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return [value for name, value in query if name == TOKEN]

    async def _enter(self, scope: Scope, send: Send) -> None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode([(name, value) for name, value in query if name != TOKEN])
        # a relative reference: the path could begin with two slashes, which would name another host
        location = "/" + scope["path"].lstrip("/") + (f"?{rest}" if rest else "")
        cookie = f"{self._cookie}={self._pass}; Path=/; HttpOnly; SameSite=Lax"
        fields = {**_HEADERS, "location": location, "set-cookie": cookie, "cache-control": "no-store"}
        head = [(name.encode(), value.encode("latin-1", "replace")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": 303, "headers": head})
        await send({"type": "http.response.body", "body": b""})

    def _protected(self, send: Send) -> Send:
        """Adds the headers. A page is held back until it is whole: its inline scripts are allowed by their hash."""
        start: Message = {}
        body = bytearray()

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                if not _is_page(message):
                    await send({**message, "headers": self._headers(message, b"")})
                return
            if message["type"] != "http.response.body" or not _is_page(start):
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await send({**start, "headers": self._headers(start, bytes(body))})
                await send({"type": "http.response.body", "body": bytes(body)})

        return protected

    def _headers(self, start: Message, page: bytes) -> list[tuple[bytes, bytes]]:
        hashes = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _INLINE.findall(page)]
        sockets = " ".join(sorted(f"ws://{host}" for host in self._hosts))
        policy = {
            "default-src": "'self'",
            "script-src": " ".join(["'self'", *(f"'sha256-{digest}'" for digest in hashes)]),
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data: blob:",
            "font-src": "'self' data:",
            "connect-src": f"'self' {sockets}",
            "worker-src": "'self' blob:",
            "object-src": "'none'",
            "base-uri": "'self'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
        }
        fields = {**_HEADERS, "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items())}
        kept = [(name, value) for name, value in start["headers"] if name.lower().decode("latin-1") not in fields]
        return [*kept, *((name.encode(), value.encode()) for name, value in fields.items())]


def _is_page(start: Message) -> bool:
    kinds = [value for name, value in start.get("headers", ()) if name.lower() == b"content-type"]
    return any(kind.startswith(b"text/html") for kind in kinds)


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        # before it is accepted, closing refuses the connection with 403
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    fields = {**_HEADERS, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
    head = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": f"filterlaw: {reason}\n".encode()})
