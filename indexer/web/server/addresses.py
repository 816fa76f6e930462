"""Addresses and names of hosts, as a person types them and as browsers send them. It loads nothing of the server."""

import ipaddress
import re

from indexer.errors import UsageError

_DEFAULT_PORT = 80
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only; raises `UsageError` if it is no address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise UsageError(f"--host {host!r} is no address; type for example --host 127.0.0.1") from None


def is_host_name(name: str) -> bool:
    """Whether a text can be the name of a host, or its address, as it stands in the address of a page."""
    if name.startswith("[") and name.endswith("]"):
        try:
            return ipaddress.ip_address(name[1:-1]).version == 6
        except ValueError:
            return False
    return _HOST_NAME.fullmatch(name) is not None


def host_header(name: str, port: int) -> str:
    """What a browser sends as the header Host: in small letters, and without the port that it takes by itself."""
    return name.lower() if port == _DEFAULT_PORT else f"{name.lower()}:{port}"
