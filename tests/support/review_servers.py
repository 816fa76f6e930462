"""A review server in a thread of the test, and requests to it, byte for byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from indexer.web.server.events import Broadcast
from indexer.web.server.guard import AccessRules
from indexer.web.server.running import PATIENCE_S, StoppableServer, bound_socket, make_rules, serve
from indexer.web.server.service import ReviewService

_PATIENCE_S = 60
"""So long a server may take for an answer, its start or its end: it is waited for what happens, and no longer."""


class Listening:
    """A service that remembers what reached it."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def method(*_arguments: Any) -> Any:
            self.reached.append(name)
            return None if name in {"picture", "native"} else "page" if "page" in name else {}

        return method


@dataclass
class Served:
    """A server that runs, and what it refused."""

    gate: AccessRules
    events: Broadcast
    refusals: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    @property
    def host(self) -> str:
        """The value of the header Host that is right."""
        return self.gate.hosts[0]

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the page sends with what it posts."""
        return {
            "Host": self.host,
            "Cookie": f"{self.gate.cookie_name}={self.gate.cookie}",
            "Origin": f"http://{self.host}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/json",
            "X-Indexer": "1",
        }

    def send(self, data: bytes) -> bytes:
        """What the server answers to these bytes until it closes the connection, or for a while."""
        with socket.create_connection(("127.0.0.1", self.gate.port), timeout=_PATIENCE_S) as connection:
            connection.sendall(data)
            answer = b""
            try:
                while chunk := connection.recv(65536):
                    answer += chunk
            except TimeoutError:
                return answer
            return answer

    def ask(
        self, method: str, path: str, body: bytes = b"", *, leave_out: tuple[str, ...] = (), **changed: str
    ) -> tuple[int, str]:
        """Status and text of the answer to a request of the page, with some headers changed (X_Indexer: X-Indexer)."""
        headers = self.headers | {name.replace("_", "-"): value for name, value in changed.items()}
        headers = {name: value for name, value in headers.items() if name not in leave_out}
        if body or method == "POST":
            headers.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        answer = self.send(head.encode("latin-1") + body)
        status, _, text = answer.partition(b"\r\n\r\n")
        return int(status.split()[1]), status.decode("latin-1") + "\n\n" + text.decode(errors="replace")


@contextmanager
def running(
    service: ReviewService,
    *,
    events: Broadcast | None = None,
    port: int = 0,
    read_only: bool = False,
    name: str | None = None,
    patience_s: float = PATIENCE_S,
) -> Iterator[Served]:
    """A server on a port of loopback, by default a free one, until the end of the block."""
    events, ready, servers = events or Broadcast(), threading.Event(), list[StoppableServer]()

    def started(server: StoppableServer) -> None:
        servers.append(server)
        ready.set()

    with bound_socket("127.0.0.1", port) as opened:
        served = Served(make_rules(opened, name=name), events)
        thread = threading.Thread(
            target=serve,
            args=(opened, service, served.gate, events),
            kwargs={
                "refused": served.refusals.append,
                "failed": lambda problem: served.failures.append(problem),
                "read_only": read_only,
                "patience_s": patience_s,
                "started": started,
            },
        )
        thread.start()
        assert ready.wait(_PATIENCE_S)
        try:
            yield served
        finally:
            servers[0].stop()
            thread.join(_PATIENCE_S)
