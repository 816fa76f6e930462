"""The server on its socket: where it listens, and what is left of its connections when it has ended."""

import gc
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from indexer.errors import AddressError
from indexer.web.server import running as running_module
from indexer.web.server.running import bound_socket
from tests.support.review_servers import Listening, running

LAST = 65535


def test_no_free_port() -> None:
    """If the port is in use and none comes after it, the machine does not allow the command: exit code 1."""
    refusal = pytest.raises(AddressError, match=f"no port from {LAST} on is free; give another with --port")
    with refusal as refused, bound_socket("127.0.0.1", LAST), bound_socket("127.0.0.1", LAST):
        pass
    assert refused.value.exit_code == 1


@contextmanager
def without_collection() -> Iterator[None]:
    """Objects that know each other are not taken away: nothing closes a connection by chance."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Large(Listening):
    """A service whose page does not fit what lies on the way to somebody who does not read it."""

    def page(self) -> str:
        """The page of 64 MiB."""
        return "page" * (1 << 24)


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection, after all that it sent; not within the patience: an error."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize("sent", ["nothing", "part of a head", "a head without its body", "no end of it", "not read"])
@pytest.mark.parametrize("known", [True, False])
def test_every_connection_is_closed_at_the_end(known: bool, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody keeps the server waiting for, the connection ends with the server and not some time later.

    Not known: it was accepted in the moment in which the server told all connections to end.
    """
    monkeypatch.setattr(running_module, "GRACE_S", 0.3)
    with without_collection(), ExitStack() as stack:
        server = ExitStack()
        served = server.enter_context(running(Large()))
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", served.gate.port), timeout=30))
        headers = "".join(f"{name}: {value}\r\n" for name, value in served.headers.items())
        requests = {
            "nothing": "",
            "part of a head": "GET / HTT",
            "a head without its body": f"POST /verdict HTTP/1.1\r\n{headers}Content-Length: 9\r\n\r\n",
            "no end of it": f"GET /events HTTP/1.1\r\n{headers}\r\n",
            "not read": f"GET / HTTP/1.1\r\n{headers}\r\n",
        }
        connection.sendall(requests[sent].encode())
        assert served.ask("GET", "/favicon.ico")[0] < 500  # a later connection was answered: this one is known
        if not known:
            monkeypatch.setattr(H11Protocol, "shutdown", lambda _protocol: None)
        server.close()
        assert is_closed(connection)
