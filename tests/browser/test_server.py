"""The server around the explorer: who may ask for what, several at once, and how it ends."""

from __future__ import annotations

import http.client
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.browser.conftest import SLOW, Explorer
from tests.cli.conftest import command

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def routes():
    """Every path of the application that the guard stands before, HTTP and WebSocket."""
    pytest.importorskip("marimo", reason="needs marimo: pip install 'filterlaw[explore]'")
    from starlette.routing import BaseRoute, Mount

    from commands.explore import application

    def paths(found: list[BaseRoute], before: str = "") -> list[str]:
        listed = []
        for route in found:
            path = before + str(getattr(route, "path", ""))
            inner = getattr(route, "routes", None) or getattr(getattr(route, "app", None), "routes", None)
            listed += paths(inner, path) if isinstance(route, Mount) and inner else [path]
        return listed

    application_ = application()
    return sorted(set(paths(application_.routes)))  # type: ignore[attr-defined]


def status_of(explorer, path, method="GET", **headers):
    """The status of an answer, without following redirects; of a refused upgrade if headers ask for one."""
    connection = http.client.HTTPConnection("127.0.0.1", explorer.address.port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_no_route_answers_without_the_key(explorer, routes):
    # marimo's own list: pages, assets, the kernel's, and many that the explorer has no use for
    assert len(routes) > 40
    assert any("ws" in path for path in routes)
    origin = f"http://127.0.0.1:{explorer.address.port}"
    for path in routes:
        plain = path.replace("{", "").replace("}", "").replace(":path", "") or "/"
        assert status_of(explorer, plain) == 403, path
        assert status_of(explorer, plain, "POST", Origin=origin) == 403, path
        assert status_of(explorer, plain, Origin=origin, **UPGRADE) == 403, path


def cookie_of(explorer):
    connection = http.client.HTTPConnection("127.0.0.1", explorer.address.port, timeout=30)
    connection.request("GET", f"/?{explorer.address.query}")
    answer = connection.getresponse()
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"]
    connection.close()
    assert cookie is not None
    return cookie.split(";")[0]


def test_with_the_key_host_and_origin_still_count(explorer):
    port = explorer.address.port
    cookie, own = cookie_of(explorer), f"http://127.0.0.1:{port}"
    assert status_of(explorer, "/", Cookie=cookie) == 200
    assert status_of(explorer, "/", Cookie=cookie, Host="evil.example") == 400
    assert status_of(explorer, "/", Cookie=cookie, Origin="http://evil.example") == 403
    socket = f"/ws?session_id=s_{port}"
    assert status_of(explorer, socket, Cookie=cookie, Origin=own, **UPGRADE) == 101
    assert status_of(explorer, socket, Cookie=cookie, Origin="http://evil.example", **UPGRADE) == 403
    assert status_of(explorer, socket, Cookie=cookie, Host="evil.example", Origin=own, **UPGRADE) == 403
    assert status_of(explorer, socket, Cookie=cookie, **UPGRADE) == 403
    for path in ("/terminal/ws", "/api/files/list_files", "/api/kernel/../files/list_files", "/login"):
        assert status_of(explorer, path, Cookie=cookie) == 404, path


def test_the_kernel_runs_no_code_from_outside(explorer):
    """Of marimo's run mode, with the key: what would run or change code is refused."""
    own = f"http://127.0.0.1:{explorer.address.port}"
    body = json.dumps({"cellIds": ["x"], "codes": ["import os"]}).encode()
    for path in ("/api/kernel/run", "/api/kernel/scratchpad/run", "/api/kernel/save"):
        request = Request(
            own + path, body, {"Cookie": cookie_of(explorer), "Origin": own, "Content-Type": "application/json"}
        )
        with pytest.raises(HTTPError) as refused:
            urlopen(request, timeout=30)
        assert refused.value.code in (401, 403, 404), path
        refused.value.close()


def test_a_second_explorer_takes_another_port_and_a_taken_one_is_said(explorer, tmp_path):
    port = explorer.address.port
    refused = command("explore", "--no-browser", "--port", str(port))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"filterlaw: error: port {port} cannot be used (address already in use); leave --port out to get a free one\n"
    )
    second = Explorer(tmp_path)
    try:
        assert second.address.port != port
        assert status_of(second, "/", Cookie=cookie_of(explorer)) == 403
        assert second.interrupt() == (0, "")
    finally:
        second.end()


def test_ctrl_c_ends_it_with_a_tab_open(browser, tmp_path):
    served = Explorer(tmp_path, "--page", "loosened")
    try:
        page = browser.new_page()
        page.set_default_timeout(SLOW)
        page.goto(served.url)
        page.locator(".fl-claim").first.wait_for()
        assert "page=loosened" in page.url
        # a thread of the tab's session would keep it from ending for ever
        assert served.interrupt() == (0, "")
        page.close()
        # nothing was written but what marimo was lent
        assert list(tmp_path.rglob("*marimo*")) == []
    finally:
        served.end()


def test_pages_that_do_not_exist_are_refused():
    refused = command("explore", "--page", "two")
    assert refused.returncode == 2
    assert "page must be one of one-filter, loosened" in refused.stderr
