"""Messages from the program to all open pages, as server-sent events.

It promises that publishing never waits for a page: one that does not read misses messages and is told to load again.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

_MAX_WAITING = 200
_PING_INTERVAL_S = 15.0
_LOAD_AGAIN = "event: again\ndata: {}\n\n"


class Broadcast:
    """Sends messages to all pages that listen. `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues = set[asyncio.Queue[str]]()

    def publish(self, event: str, data: Mapping[str, Any]) -> None:
        """Sends a message to all pages that listen now."""
        text = f"event: {event}\ndata: {json.dumps(data)}\n\n"
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, text)

    def _put(self, text: str) -> None:
        for queue in self._queues:
            if queue.qsize() < _MAX_WAITING:
                queue.put_nowait(text)
            elif queue.qsize() == _MAX_WAITING:
                queue.put_nowait(_LOAD_AGAIN)

    async def listen(self) -> AsyncIterator[str]:
        """The messages for one page, with a comment every quarter of a minute that shows a closed connection."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield "retry: 1000\n\n"
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), _PING_INTERVAL_S)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._queues.discard(queue)
