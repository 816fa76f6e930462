"""Starts the server on a port of its own, and ends it.

It promises that

- a port in use is passed over for the next free one;
- Ctrl-C, a request to terminate, and eight hours without a request end it in order; and
- nothing is printed but what the caller prints.
"""

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from indexer.errors import AddressError
from indexer.web.server.addresses import host_header, is_loopback
from indexer.web.server.application import make_application
from indexer.web.server.events import Broadcast
from indexer.web.server.guard import AccessRules
from indexer.web.server.refusals import RefusalLines
from indexer.web.server.service import ReviewService

IDLE_LIMIT_S = 8 * 3600.0
MAX_CONNECTIONS = 256
PATIENCE_S = 15.0
"""A connection on which a request has not come whole after one to two times these seconds is closed."""
GRACE_S = 2
"""Connections have these seconds to end in order when the server ends."""
_PORTS_TRIED = 50


@contextmanager
def bound_socket(host: str, port: int) -> Iterator[socket.socket]:
    """A socket on this address, at this port or the next free one; 0: any free one.

    Raises `AddressError` if `host` is no address of this machine, or if no port is free.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    for candidate in range(port, min(port + _PORTS_TRIED, 65536)):
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, candidate))
            opened.listen(MAX_CONNECTIONS)
        except OSError as problem:
            opened.close()
            if problem.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise AddressError(f"--host {host}: {problem.strerror}; give an address of this machine") from problem
            continue
        try:
            yield opened
        finally:
            opened.close()
        return
    raise AddressError(f"no port from {port} on is free; give another with --port")


def make_rules(opened: socket.socket, *, name: str | None) -> AccessRules:
    """The rules of a server on this socket; `name`: a DNS name under which it is reached as well."""
    host, port = opened.getsockname()[:2]
    named = () if name is None else (host_header(name, port),)
    if not is_loopback(host):
        return AccessRules(named, port)
    own = host_header(f"[{host}]" if ":" in host else host, port)
    return AccessRules((own, *named), port, (host_header("localhost", port),))


def serve(
    opened: socket.socket,
    service: ReviewService,
    rules: AccessRules,
    events: Broadcast,
    *,
    refused: Callable[[str], None],
    failed: Callable[[Exception], None],
    read_only: bool = False,
    idle_limit_s: float = IDLE_LIMIT_S,
    patience_s: float = PATIENCE_S,
    started: Callable[["StoppableServer"], None] = lambda _server: None,
) -> None:
    """Answers requests until the server is stopped: by Ctrl-C, by SIGTERM, by `StoppableServer.stop`, or when nobody
    asked for `idle_limit_s`.

    `refused` and `failed` as in `make_application`; `patience_s` as `PATIENCE_S`; `started` is called with the server
    before it answers.
    """
    logging.getLogger("uvicorn.error").disabled = True  # requests that are no HTTP, and what `failed` gets
    last_request = [time.monotonic()]

    def passed() -> None:
        last_request[0] = time.monotonic()

    lines = RefusalLines(refused)
    application: Any = make_application(
        service, rules, events, refused=lines, passed=passed, failed=failed, read_only=read_only
    )
    config = uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        http=_impatient(patience_s),
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = StoppableServer(config)
    started(server)
    asyncio.run(_serve(server, opened, lambda: time.monotonic() - last_request[0] > idle_limit_s))
    lines.end()


def _impatient(patience_s: float) -> type[H11Protocol]:
    """The protocol of connections that are closed if they keep the server waiting for a request."""

    class ImpatientProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._look_again(None)

        def _look_again(self, awaited: object) -> None:
            """Closes the connection if it is in the same request as the last time, and that is not whole."""
            if self.transport.is_closing():
                return
            is_awaited = self.conn.their_state in {h11.IDLE, h11.SEND_BODY}
            if is_awaited and awaited == (self.cycle,):
                self.transport.close()
            else:
                self.loop.call_later(patience_s, self._look_again, (self.cycle,) if is_awaited else None)

    return ImpatientProtocol


class StoppableServer(uvicorn.Server):
    """A server that ends with `stop`. It leaves the signals of the process to `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing to do: signals are handled in `serve`."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends all connections: in order for `GRACE_S`, then those that are left.

        Left are those that uvicorn gives up, and one that was accepted while it told the others to end.
        """
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            cast("H11Protocol", connection).transport.abort()
        await asyncio.sleep(0)  # aborted connections are closed by the loop, in its next turn

    def stop(self) -> None:
        """Lets the server end; may be called from any thread."""
        self.should_exit = True


async def _serve(server: StoppableServer, opened: socket.socket, is_idle: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    with suppress(RuntimeError, ValueError):  # not in the main thread
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)

    async def end_when_idle() -> None:
        while not server.should_exit:
            await asyncio.sleep(1)
            if is_idle():
                server.stop()

    watching = asyncio.create_task(end_when_idle())
    try:
        await server.serve(sockets=[opened])
    finally:
        watching.cancel()
