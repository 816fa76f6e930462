"""Commands in processes of their own, each a fork of one process that has loaded the libraries.

To start Python and load the libraries takes 0.7 s of a processor, which is nearly all that a small command takes. What
is about the start of the program itself uses `command.command`.
"""

import gc
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class ForkedCommands:
    """Starts commands, one at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._code: int | None = None

    def start(self, *words: object, streams: Sequence[int], folder: Path | None = None) -> None:
        """Starts a command with the environment of now. `streams`: the descriptors of its stdin, stdout and stderr."""
        self._code = None
        asked = [[str(word) for word in words], str(folder or Path.cwd()), dict(os.environ)]
        socket.send_fds(self._connection, [json.dumps(asked).encode()], list(streams))

    def poll(self, timeout_s: float = 0) -> int | None:
        """The exit code of the command that was started last; None if it still runs."""
        if self._code is None and select.select([self._connection], [], [], timeout_s)[0]:
            self._code = int(self._connection.recv(100))
        return self._code

    def wait(self, timeout_s: float = 60) -> int:
        """The exit code, when it has ended."""
        code = self.poll(timeout_s)
        assert code is not None, "the command did not end"
        return code


@pytest.fixture(scope="session")
def forked() -> Iterator[ForkedCommands]:
    """Starts commands as forks of a process that is started once."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = f"from tests.support.forked_commands import serve; serve({theirs.fileno()})"
    with ours, subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        try:
            yield ForkedCommands(ours)
        finally:
            process.kill()


def serve(descriptor: int) -> None:
    """Forks for each command that is asked for, and answers its exit code."""
    import indexer.workflows.compare.compare
    import indexer.workflows.ingest.ingest
    import indexer.workflows.removal.prune
    import indexer.workflows.report.report  # noqa: F401
    from indexer.cli.app import app
    from indexer.cli.main import main

    sys.path[0] = str(ROOT)  # and not the folder that a command works in
    gc.freeze()
    connection = socket.socket(fileno=descriptor)
    while True:
        asked, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        if not asked:
            return
        child = os.fork()
        if child == 0:
            connection.close()
            words, folder, environment = json.loads(asked)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            sys.argv[:] = ["manage.py", *words]
            sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in enumerate("rww"))  # noqa: PTH123, SIM115
            gc.disable()  # as the program does, until the command begins
            sys.exit(main(app, words))
        for stream in streams:
            os.close(stream)
        connection.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
