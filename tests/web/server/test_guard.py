"""The guard: nobody but the server's own page gets anything, over a real socket."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from indexer.domain.verdict_changes import MAX_CHANGES, MAX_NAME_CHARS
from indexer.web.server.guard import MAX_BODY_BYTES
from indexer.web.server.refusals import RefusalLines
from indexer.web.server.running import MAX_CONNECTIONS, make_rules
from tests.support.review_servers import Listening, Served, running

SERVICE = Listening()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server of this module's own."""
    with running(SERVICE, name="gate.example") as server:
        yield server


@pytest.fixture(autouse=True)
def forget() -> None:
    """What was reached before a test is not its own."""
    SERVICE.reached.clear()


VERDICT = json.dumps({"changes": []}).encode()
NO_COOKIE = {"leave_out": ("Cookie",)}
HOSTILE: list[tuple[str, str, str, bytes, dict[str, Any], int]] = [
    ("a rebound name", "GET", "/", b"", {"Host": "evil.example"}, 421),
    ("a rebound name with the port", "GET", "/", b"", {"Host": "evil.example:{port}"}, 421),
    ("another port", "GET", "/", b"", {"Host": "127.0.0.1:9"}, 421),
    ("no port", "GET", "/", b"", {"Host": "127.0.0.1"}, 421),
    ("no host", "GET", "/status", b"", {"leave_out": ("Host",)}, 400),
    ("another name of the loopback", "GET", "/", b"", {"Host": "127.1:{port}"}, 421),
    ("a host with more after it", "GET", "/", b"", {"Host": "127.0.0.1:{port}.evil.example"}, 421),
    ("a rebound name that posts to itself", "POST", "/verdict", VERDICT,
     {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 421),
    ("localhost that posts", "POST", "/verdict", VERDICT, {"Host": "localhost:{port}"}, 421),
    ("no cookie", "GET", "/status", b"", NO_COOKIE, 401),
    ("no cookie on a picture", "GET", "/pictures/aa/a.jpg", b"", NO_COOKIE, 401),
    ("no cookie on a verdict", "POST", "/verdict", VERDICT, NO_COOKIE, 401),
    ("a wrong cookie", "GET", "/status", b"", {"Cookie": "indexer-{port}=guess"}, 401),
    ("the cookie of another port", "GET", "/status", b"", {"Cookie": "indexer-9={cookie}"}, 401),
    ("a broken cookie", "GET", "/status", b"", {"Cookie": "=;;{{"}, 401),
    ("the token in place of the cookie", "GET", "/status?t={token}", b"", {"Cookie": "indexer-{port}={token}"}, 401),
    ("a wrong token", "POST", "/enter", b'{"token": "guess"}', NO_COOKIE, 401),
    ("a token that is no text", "POST", "/enter", b'{"token": ["{token}"]}', NO_COOKIE, 401),
    ("a token from another origin", "POST", "/enter", b'{"token": "{token}"}', {"Origin": "http://evil.example"}, 403),
    ("no origin", "POST", "/verdict", VERDICT, {"leave_out": ("Origin",)}, 403),
    ("the null origin", "POST", "/verdict", VERDICT, {"Origin": "null"}, 403),
    ("a foreign origin", "POST", "/verdict", VERDICT, {"Origin": "http://evil.example"}, 403),
    ("our origin with TLS", "POST", "/verdict", VERDICT, {"Origin": "https://127.0.0.1:{port}"}, 403),
    ("the origin of another port", "POST", "/verdict", VERDICT, {"Origin": "http://127.0.0.1:9"}, 403),
    ("a cross-site request", "POST", "/verdict", VERDICT, {"Sec_Fetch_Site": "cross-site"}, 403),
    ("another port of this machine", "POST", "/verdict", VERDICT, {"Sec_Fetch_Site": "same-site"}, 403),
    ("a picture in a page of another site", "GET", "/pictures/aa/a.jpg", b"",
     {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
    ("a simple request", "POST", "/verdict", VERDICT, {"Content_Type": "text/plain"}, 415),
    ("a form", "POST", "/verdict", b"a=b", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ("without the header of the page", "POST", "/verdict", VERDICT, {"leave_out": ("X-Indexer",)}, 415),
    ("a preflight", "OPTIONS", "/verdict", b"", {"Access_Control_Request_Method": "POST"}, 405),
    ("another method", "PUT", "/verdict", VERDICT, {}, 405),
    ("TRACE", "TRACE", "/status", b"", {}, 405),
    ("a gigabyte", "POST", "/verdict", b"", {"Content_Length": str(2**30)}, 413),
    ("a length without end", "POST", "/verdict", b"", {"Content_Length": "9" * 18}, 413),
    ("a body in chunks", "POST", "/verdict", b"2\r\n{}\r\n0\r\n\r\n",
     {"Transfer_Encoding": "chunked"}, 411),
    ("a websocket", "GET", "/events", b"", {"Upgrade": "websocket", "Sec_WebSocket_Version": "13"}, 400),
    ("a path out of the folder", "GET", "/pictures/../../etc/passwd", b"", {}, 404),
    ("an escaped path", "GET", "/pictures/..%2f..%2f..%2fetc%2fpasswd", b"", {}, 404),
    ("a path of another host", "GET", "//evil.example/verdict", b"", {}, 404),
    ("an asset out of the folder", "GET", "/..%2fguard.py", b"", {}, 404),
    ("a path without end", "GET", "/native/" + "9" * 5000 + "/aa", b"", {}, 414),
    ("no JSON", "POST", "/verdict", b"<verdict/>", {}, 400),
    ("a list", "POST", "/verdict", b"[]", {}, 400),
    ("a name before the host", "GET", "/", b"", {"Host": "ada@127.0.0.1:{port}"}, 421),
    ("a host with a dot at its end", "GET", "/", b"", {"Host": "127.0.0.1.:{port}"}, 421),
    ("the number of the loopback", "GET", "/", b"", {"Host": "2130706433:{port}"}, 421),
    ("a whole address in place of the path", "GET", "http://evil.example/status", b"", {"Host": "evil.example"}, 421),
    ("an origin with a path", "POST", "/verdict", VERDICT, {"Origin": "http://127.0.0.1:{port}/"}, 403),
    ("an origin that begins like ours", "POST", "/verdict", VERDICT, {"Origin": "http://127.0.0.1:{port}0"}, 403),
    ("a pin from another site", "POST", "/pin", b"{}", {"Sec_Fetch_Site": "cross-site"}, 403),
    ("leaving for another page, from another site", "POST", "/leave", b"{}", {"Origin": "null"}, 403),
    ("a type with more after it", "POST", "/verdict", VERDICT, {"Content_Type": "application/json;charset=x"}, 415),
    ("a large body where none belongs", "POST", "/areas", b"", {"Content_Length": "100000"}, 413),
    ("JSON without end", "POST", "/verdict", b"[" * 60_000, {}, 400),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "how", "status"), [case[1:] for case in HOSTILE],
                         ids=[case[0] for case in HOSTILE])  # fmt: skip
def test_hostile_requests_are_refused(
    served: Served, method: str, path: str, body: bytes, how: dict[str, Any], status: int
) -> None:
    """No hostile request reaches the service, and each gets the status that says why."""
    gate = served.gate

    def fill(text: str) -> str:
        known = {"{port}": str(gate.port), "{token}": gate.token, "{cookie}": gate.cookie}
        for name, value in known.items():
            text = text.replace(name, value)
        return text

    changed: dict[str, Any] = {name: fill(value) if isinstance(value, str) else value for name, value in how.items()}
    answer, text = served.ask(method, fill(path), fill(body.decode()).encode(), **changed)
    reached = [name for name in SERVICE.reached if name != "picture"]
    assert (answer, reached) == (status, [])
    assert gate.cookie not in text
    assert "access-control" not in text.lower()


def test_the_page_gets_through(served: Served) -> None:
    """What the page itself sends reaches the service, on each of the names of the server."""
    for host in (served.host, f"gate.example:{served.gate.port}"):
        assert served.ask("POST", "/verdict", VERDICT, Host=host, Origin=f"http://{host}")[0] == 200
        assert served.ask("GET", "/", Host=host)[0] == 200
    assert SERVICE.reached == ["change", "page"] * 2


def test_the_token_gives_the_cookie(served: Served) -> None:
    """Who has the token gets a cookie that scripts cannot read and other sites do not send."""
    body = json.dumps({"token": served.gate.token}).encode()
    status, text = served.ask("POST", "/enter", body, leave_out=("Cookie",))
    given = next(line for line in text.splitlines() if line.lower().startswith("set-cookie"))
    assert status == 200
    assert given.split(": ", 1)[1].startswith(f"{served.gate.cookie_name}={served.gate.cookie};")
    assert all(word in given for word in ("HttpOnly", "SameSite=strict", "Path=/"))


@pytest.mark.parametrize(
    ("host", "cookie", "location"),
    [("127.0.0.1:{port}", "none=1", "/enter"), ("localhost:{port}", "none=1", "http://127.0.0.1:{port}/")],
)
@pytest.mark.parametrize("path", ["/", "/camera/1"])
def test_a_browser_is_sent_to_the_right_address(
    served: Served, host: str, cookie: str, location: str, path: str
) -> None:
    """Who opens a page without a cookie, or as localhost, is sent on; browsers take the fragment along."""
    port = str(served.gate.port)
    status, text = served.ask("GET", path, Host=host.replace("{port}", port), Cookie=cookie)
    assert status in {303, 308}
    assert f"location: {location.replace('{port}', port)}" in text
    assert SERVICE.reached == []


def test_a_person_gets_a_page_where_something_is_wrong(served: Served) -> None:
    """An address that does not exist is a page with a way back in a browser, and JSON for a script."""
    text = served.ask("GET", "/camera/x", Accept="text/html,*/*")[1]
    assert ('<a href="/">' in text, "content-type: text/html" in text) == (True, True)
    body = served.ask("GET", "/camera/x", Accept="*/*")[1].partition("\n\n")[2]
    assert json.loads(body) == {"error": "there is no such page"}


def test_answers_are_closed_to_others(served: Served) -> None:
    """Every answer forbids frames, foreign scripts and caching, and names no server."""
    parts = ("default-src 'none'", "frame-ancestors 'none'", "nosniff", "no-referrer", "cache-control: no-store")
    for path in ("/", "/enter", "/nothing"):
        head = served.ask("GET", path)[1].partition("\n\n")[0].lower()
        assert [part for part in parts if part not in head] == []
        assert "server:" not in head


def test_a_body_is_bounded(served: Served) -> None:
    """A body is read up to the limit and not beyond, whatever its announced length."""
    filling = b'{"x": "' + b"a" * (MAX_BODY_BYTES - 9) + b'"}'
    assert served.ask("POST", "/pin", filling)[0] == 200
    assert served.ask("POST", "/pin", filling + b" ")[0] == 413


def test_the_largest_request_of_a_page_gets_through(served: Served) -> None:
    """All duplicates of a keeper, with the longest name of a person, are judged and undone in one request."""
    said = {"verdict": "different", "by": "\N{HIRAGANA LETTER A}" * MAX_NAME_CHARS, "note": None}
    change = {"pair": [10**12, 10**12 + 1], "hashes": ["f" * 64] * 2, "before": said, "after": said}
    body = json.dumps({"changes": [change] * MAX_CHANGES}, ensure_ascii=False).encode()
    assert (served.ask("POST", "/verdict", body)[0], len(body) > MAX_BODY_BYTES) == (200, True)


def test_a_twice_sent_header_is_refused(served: Served) -> None:
    """Of two hosts or two origins none counts."""
    for name in ("Host", "Origin"):
        lines = [f"{key}: {value}" for key, value in served.headers.items()]
        lines.append(f"{name}: {served.headers[name]}")
        head = "\r\n".join(["POST /verdict HTTP/1.1", *lines, "Content-Length: 2", "Connection: close", "", "{}"])
        assert int(served.send(head.encode()).split()[1]) in {400, 403, 421}
    assert SERVICE.reached == []


def test_refusals_are_shown() -> None:
    """Each refusal is one printable line for the terminal."""
    with running(SERVICE) as server:
        server.ask("GET", "/", Host="evil\t\x1b[31m.example")
        server.ask("POST", "/enter", b'{"token": "guess"}', leave_out=("Cookie",))
    assert [line.isprintable() for line in server.refusals] == [True] * len(server.refusals)
    assert server.refusals[-1] == "refused '/enter': a wrong token"


def test_a_flood_of_refusals_is_counted() -> None:
    """Of many refusals within a minute the first are shown, then how many more there were, and later ones again."""
    shown, now_s = list[str](), [0.0]
    lines = RefusalLines(shown.append, clock=lambda: now_s[0])
    for number in range(23):
        lines(str(number))
    now_s[0] = 61.0
    lines("later")
    lines.end()
    assert shown == [*map(str, range(20)), "3 more requests were refused", "later"]


HALF = [b"", b"GET / HTT", b"POST /enter HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-Indexer: 1\r\n"
        b"Origin: http://{host}\r\nContent-Length: 9\r\n\r\n{"]  # fmt: skip


def test_idle_connections_do_not_keep_the_page_away() -> None:
    """More connections than the server takes, on which no request ever comes whole, are closed, and the page is served;
    the stream of messages of an open page is not."""
    with running(SERVICE, patience_s=1.0) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.gate.port)
        page = stack.enter_context(socket.create_connection(address, timeout=60))
        headers = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
        page.sendall(f"GET /events HTTP/1.1\r\n{headers}\r\n".encode())
        assert b"200 OK" in page.recv(65536)
        idle = list[socket.socket]()
        for number in range(MAX_CONNECTIONS + 20):
            idle.append(stack.enter_context(socket.create_connection(address, timeout=60)))
            idle[-1].sendall(HALF[number % 3].replace(b"{host}", server.host.encode()))
        for connection in idle:
            while connection.recv(4096):  # what is refused may get an answer first
                pass  # until it is closed; raises `TimeoutError` otherwise
        assert server.ask("GET", "/")[0] == 200
        server.events.publish("pin", {"image": 7})
        while b"pin" not in (said := page.recv(65536)):
            assert said


def test_verdicts_do_not_wait_for_a_disk_that_hangs() -> None:
    """While files, pairs and progress cannot be read, verdicts are recorded, and pictures in memory are given out."""
    hanging, service = threading.Event(), Listening()
    service.native = service.ahead = lambda *_arguments: hanging.wait(20)  # type: ignore[attr-defined]
    service.status = lambda: hanging.wait(20)  # type: ignore[attr-defined]
    with running(service) as server:
        asking = [
            threading.Thread(target=server.ask, args=request)
            for request in [("GET", "/native/1/a")] * 4 + [("POST", "/ahead", b"{}")] * 4 + [("GET", "/status")] * 4
        ]
        for thread in asking:
            thread.start()
        try:
            time.sleep(0.2)  # all of them are there
            for path in ("/verdict", "/pin"):
                assert server.ask("POST", path, b"{}")[0] == 200
            assert server.ask("GET", "/pictures/aa/a.jpg")[0] == 404
        finally:
            hanging.set()
            for thread in asking:
                thread.join()


@pytest.mark.parametrize(
    "other", ['settings={"a": "b, c"}', "a b c", "[x]=1; =", 'q="1; 2', "indexer-{port}=older", "k\xe9=\xe9"]
)
def test_cookies_of_other_servers_do_no_harm(served: Served, other: str) -> None:
    """Whatever cookies other servers of this machine have set, in whatever order, the page gets through."""
    own = f"{served.gate.cookie_name}={served.gate.cookie}"
    other = other.replace("{port}", str(served.gate.port))
    for sent in (f"{other}; {own}", f"{own}; {other}"):
        assert served.ask("GET", "/status", Cookie=sent)[0] == 200


@pytest.mark.parametrize(
    ("name", "port", "expected"),
    [("Gate.Example", 8765, "gate.example:8765"), ("gate.example", 80, "gate.example"), ("10.0.0.7", 9, "10.0.0.7:9")],
)
def test_hosts_are_as_browsers_send_them(name: str, port: int, expected: str) -> None:
    """A name is in small letters, and has no port where browsers leave it out."""

    class Bound:
        def getsockname(self) -> tuple[str, int]:
            return "0.0.0.0", port

    assert make_rules(cast(socket.socket, Bound()), name=name).hosts == (expected,)


def test_read_only_refuses_verdicts() -> None:
    """With --read-only nothing can be recorded or saved."""
    with running(SERVICE, read_only=True) as server:
        codes = [server.ask("POST", path, b"{}")[0] for path in ("/verdict", "/area/save", "/area/undo", "/ahead")]
    assert (codes, SERVICE.reached) == ([403, 403, 403, 200], ["ahead"])
