"""The socket of the server: without a free port, one sentence that says what to type."""

import pytest

from indexer.errors import AddressError
from indexer.web.server.running import bound_socket

LAST = 65535


def test_no_free_port() -> None:
    """If the port is in use and none comes after it, the machine does not allow the command: exit code 1."""
    refusal = pytest.raises(AddressError, match=f"no port from {LAST} on is free; give another with --port")
    with refusal as refused, bound_socket("127.0.0.1", LAST), bound_socket("127.0.0.1", LAST):
        pass
    assert refused.value.exit_code == 1
