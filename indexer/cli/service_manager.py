"""Tells the service manager what a command without end does, as sd_notify(3) says."""

import os
import socket
from contextlib import suppress


class ServiceManager:
    """The service manager that started this process; `address`: the path of its socket, None if there is none."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def notify(self, state: str) -> None:
        """Sends a state, as READY=1 or STATUS=text; nothing happens if nobody listens."""
        if not self._address:
            return
        abstract = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(os.fsencode(state.replace("\n", " ")), abstract)
