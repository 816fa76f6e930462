"""Who may ask the server for anything: the checks that every request passes before any route sees it.

It promises that a page of another site, another port or another name of this machine gets nothing, whatever it knows
but the token. It does not know what a route does. The checks are pure functions of the head of a request; the ASGI
part only reads heads, bounds bodies and adds headers to answers.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

MAX_BODY_BYTES = 64 * 1024
MAX_LARGE_BODY_BYTES = 1024 * 1024
"""The largest body of a request; of one below `LARGE_BODY_PATHS`."""

MAX_PATH_CHARS = 1000
"""The longest path of a request; none of the page's own is near it."""

LARGE_BODY_PATHS = ("/area/", "/ahead", "/verdict")
"""Where a page sends a drawn area, the names of all pairs that it has, and verdicts on all duplicates of a keeper."""

ENTER_PATHS = frozenset({"/enter", "/enter.js", "/style.css"})
"""What is given without a cookie: the page that exchanges the token for one, its script and its style."""

PAGES = "/camera/"
"""Where further pages are. Who opens one without the cookie is sent to `/enter`."""

_SAFE_METHODS = {"GET", "HEAD"}
_METHODS = _SAFE_METHODS | {"POST"}
_SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

Scope = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Any], Any]


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: the HTTP status, and a sentence for the terminal and for the answer.

    `location`: where a browser is sent instead, or None.
    """

    status: int
    reason: str
    location: str | None = None


@dataclass(frozen=True)
class RequestHead:
    """What the checks look at. Header names are lower case; a header that was sent twice is in `repeated`."""

    method: str
    path: str
    headers: dict[str, str]
    repeated: frozenset[str] = frozenset()

    @classmethod
    def of(cls, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> "RequestHead":
        """The head of a request as ASGI gives it."""
        merged: dict[str, str] = {}
        repeated = set[str]()
        for raw_name, raw_value in headers:
            name = raw_name.decode("latin-1").lower()
            if name in merged:
                repeated.add(name)
            merged[name] = raw_value.decode("latin-1")
        return cls(method, path, merged, frozenset(repeated))


@dataclass(frozen=True)
class AccessRules:
    """The checks of one server.

    `hosts`: each value of the header Host that is this server's, with the port. `token`: what the printed address
    holds; `cookie`: what a browser gets for it. `redirected_hosts` are sent to the first of `hosts`.
    """

    hosts: tuple[str, ...]
    port: int
    redirected_hosts: tuple[str, ...] = ()
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie_name(self) -> str:
        """The name of the cookie. Browsers send a cookie to all ports of a host, so the name says the port."""
        return f"indexer-{self.port}"

    @property
    def address(self) -> str:
        """The address to open, with the token in the fragment, which a browser sends to nobody."""
        return f"http://{self.hosts[0]}/#t={self.token}"

    def is_token(self, text: str) -> bool:
        """Whether a text is the token; takes equally long for every wrong one."""
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.token.encode())

    def find_refusal(self, head: RequestHead) -> Refusal | None:
        """Why a request is refused; None if it may pass. The checks have a fixed order: Host, cookie, origin."""
        return self._check_host(head) or self._check_cookie(head) or self._check_origin(head) or _check_body(head)

    def _check_host(self, head: RequestHead) -> Refusal | None:
        host = head.headers.get("host", "")
        if "host" not in head.repeated:
            if host in self.hosts:
                return None
            if host in self.redirected_hosts and head.method in _SAFE_METHODS:
                return Refusal(308, "another name of this machine", f"http://{self.hosts[0]}/")
        return Refusal(421, f"the host {host!r} is not this server's; open the address that the terminal shows")

    def _check_cookie(self, head: RequestHead) -> Refusal | None:
        if head.path in ENTER_PATHS or self._has_cookie(head.headers.get("cookie", "")):
            return None
        if head.method in _SAFE_METHODS and (head.path == "/" or head.path.startswith(PAGES)):
            return Refusal(303, "a browser without the cookie", "/enter")
        return Refusal(401, "the cookie is missing; open the address that the terminal shows, with all after the #")

    def _has_cookie(self, header: str) -> bool:
        """Whether this server's cookie is among those sent. The others are of all servers of this machine, and need not
        follow any standard: the cookie classes of Python give up at the first that does not."""
        pairs = (part.strip().partition("=") for part in header.split(";"))
        sent = (value for name, _, value in pairs if name == self.cookie_name)
        return any([hmac.compare_digest(value.encode(), self.cookie.encode()) for value in sent])

    def _check_origin(self, head: RequestHead) -> Refusal | None:
        if head.method in _SAFE_METHODS:
            site = head.headers.get("sec-fetch-site", "none")
            if site not in {"none", "same-origin"} and head.headers.get("sec-fetch-mode") != "navigate":
                return Refusal(403, f"a page of another site asked (Sec-Fetch-Site: {site!r})")
            return None
        if head.method not in _METHODS:
            return Refusal(405, f"the method {head.method!r} is not used here")
        site, origin = head.headers.get("sec-fetch-site", "same-origin"), head.headers.get("origin")
        if site != "same-origin" or "sec-fetch-site" in head.repeated:
            return Refusal(403, f"a page of another site asked (Sec-Fetch-Site: {site!r})")
        if origin != f"http://{head.headers['host']}" or "origin" in head.repeated:
            return Refusal(403, f"the origin {origin!r} is not this server's page")
        if head.headers.get("content-type") != "application/json" or head.headers.get("x-indexer") != "1":
            return Refusal(415, "it is no request of this server's page")
        return None


def _check_body(head: RequestHead) -> Refusal | None:
    if len(head.path) > MAX_PATH_CHARS:
        return Refusal(414, f"a path of more than {MAX_PATH_CHARS} characters")
    if "upgrade" in head.headers:
        return Refusal(400, "this server speaks no other protocol")
    if "transfer-encoding" in head.headers:
        return Refusal(411, "the length of the body is not given")
    if head.method in _SAFE_METHODS:
        return None
    length = head.headers.get("content-length")
    if length is None or "content-length" in head.repeated or not length.isdecimal():
        return Refusal(411, "the length of the body is not given")
    limit = body_limit(head.path)
    return None if int(length[:12]) <= limit else Refusal(413, f"a body of more than {limit} bytes")


def body_limit(path: str) -> int:
    """The most bytes that a body may have."""
    return MAX_LARGE_BODY_BYTES if path.startswith(LARGE_BODY_PATHS) else MAX_BODY_BYTES


class GuardedApplication:
    """An ASGI application that passes a request on to another only if the rules let it through.

    `refused` is called with a sentence for each refusal; `passed` for each request that passes.
    """

    def __init__(
        self, application: Any, rules: AccessRules, *, refused: Callable[[str], None], passed: Callable[[], None]
    ) -> None:
        self._application, self._rules, self._refused, self._passed = application, rules, refused, passed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        head = RequestHead.of(scope["method"], scope["path"], scope["headers"])
        refusal = self._rules.find_refusal(head)
        if refusal is not None:
            if refusal.location is None:
                self._refused(f"refused {head.method!r} {head.path[:80]!r}: {refusal.reason}")
            await _answer(refusal, send)
            return
        self._passed()
        await self._application(scope, _bounded(receive, body_limit(head.path)), _with_headers(send))


def _bounded(receive: Receive, limit: int) -> Receive:
    """The body of a request, which ends the connection if more bytes come than were announced at most."""
    received = 0

    async def receive_bounded() -> Any:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return message if received <= limit else {"type": "http.disconnect"}

    return receive_bounded


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in message["headers"]}
            more = [(name, value) for name, value in _SECURITY_HEADERS if name not in names]
            if b"cache-control" not in names:
                more.append((b"cache-control", b"no-store"))
            message = message | {"headers": [*message["headers"], *more]}
        await send(message)

    return send_with_headers


async def _answer(refusal: Refusal, send: Send) -> None:
    body = f"{refusal.reason}\n".encode("ascii", "backslashreplace")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers += [(b"location", refusal.location.encode())] if refusal.location else [(b"connection", b"close")]
    secured = _with_headers(send)
    await secured({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await secured({"type": "http.response.body", "body": body})
