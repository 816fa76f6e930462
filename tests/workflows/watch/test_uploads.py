"""Files that real servers and programs write: uploads by FTP, whole, slow and aborted, and rsync in both its ways."""

import ftplib
import hashlib
import io
import os
import shutil
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.databases import on_sqlite
from tests.support.index import CAR, Index, name, noise, picture
from tests.workflows.watch.conftest import PATIENT, SteppedTime

pytestmark = [on_sqlite]
Watch = Callable[..., Any]


class SlowFile(io.BytesIO):
    """A file that is read in pieces with a pause before each; after `stop_at` bytes the reading fails."""

    def __init__(self, content: bytes, *, pause_s: float = 0.0, stop_at: int | None = None) -> None:
        super().__init__(content)
        self.pause_s, self.stop_at = pause_s, stop_at

    def read(self, _size: int | None = -1) -> bytes:
        """The next piece."""
        time.sleep(self.pause_s)
        if self.stop_at is not None and self.tell() >= self.stop_at:
            raise ConnectionAbortedError
        return super().read(1000)


@pytest.fixture
def upload(index: Index) -> Iterator[Callable[..., None]]:
    """Uploads a file into the folder of the index, by FTP to a server that writes it in place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the modules that pyftpdlib needs
        pytest.importorskip("pyftpdlib", reason="needs an FTP server: pip install pyftpdlib")
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import FTPHandler
        from pyftpdlib.servers import ThreadedFTPServer

        authorizer = DummyAuthorizer()
        authorizer.add_anonymous(str(index.folder), perm="elradfmw")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer, "auth_failed_timeout": 0})
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"handle_exit": False, "timeout": 0.05})
    thread.start()

    def store(file: str, content: bytes, *, rest: int | None = None, **how: Any) -> None:
        with ftplib.FTP() as client:
            client.connect(*server.address)
            client.login()
            client.storbinary(f"STOR {file}", SlowFile(content, **how), rest=rest)

    yield store
    server.close_all()
    thread.join()


def test_uploads_by_ftp(index: Index, watching: Watch, upload: Callable[..., None]) -> None:
    """Whole and throttled uploads become images; one that is aborted does not until it is resumed."""
    content = picture(CAR, stamp=3)
    with watching() as work:
        upload(name(0), picture(stamp=1))
        upload(name(1), picture(stamp=2), pause_s=0.05)
        with pytest.raises(ConnectionAbortedError):
            upload(name(2), content, stop_at=len(content) // 2)
        work.until_ready(name(0), name(1))
        sent = (index.folder / name(2)).stat().st_size
        assert 0 < sent < len(content)
        upload(name(2), content[sent:], rest=sent)
        work.until_ready(name(0), name(1), name(2))
    assert index.rows("SELECT DISTINCT state FROM images WHERE state NOT IN ('ready', 'missing')") == []


def test_an_aborted_upload_is_damaged_in_the_end(index: Index, watching: Watch, upload: Callable[..., None]) -> None:
    """An upload that nobody resumes is recorded as damaged after the grace time, and is no image."""
    stepped = SteppedTime()
    with watching(time=stepped.clocks) as work:
        with pytest.raises(ConnectionAbortedError):
            upload(name(2), picture(CAR), stop_at=2000)
        upload(name(1), picture())
        work.until_ready(name(1))
        assert len(index.states()) == 1
        # The server may close its file later than the client: the grace time begins then.
        work.until(lambda: stepped.forward(PATIENT.grace_s) and len(index.states()) == 2)
    assert sorted((file, state) for file, state, _ in index.states()) == [(name(1), "ready"), (name(2), "damaged")]


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync: apt-get install rsync")
@pytest.mark.parametrize("words", [(), ("--inplace",)], ids=["renamed", "in place"])
@pytest.mark.parametrize("is_polled", [False, True], ids=["reported", "polled"])
def test_rsync(index: Index, watching: Watch, tmp_path: Path, words: tuple[str, ...], is_polled: bool) -> None:
    """rsync with and without --inplace, slowed down, writes whole images, and its temporary names are never seen."""
    source = tmp_path / "source"
    source.mkdir()
    for minute in range(4):
        (source / name(minute)).write_bytes(picture(stamp=minute) + bytes(20_000))
        os.utime(source / name(minute), (1e9, 1e9 + minute))
    with watching(is_polled=is_polled) as work:
        rsync = ["rsync", "-t", "-r", "--whole-file", "--bwlimit=100", *words, f"{source}/", f"{index.folder}/"]
        subprocess.run(rsync, check=True)
        work.until_ready(*map(name, range(4)))
    assert {state for _, state, _ in index.states()} == {"ready"}


def saved(pixels: NDArray[np.uint8], form: str) -> bytes:
    """A picture as Pillow saves it; a TIFF is not compressed, and has its directory at its begin."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("suffix", ["bmp", "webp", "tiff"])
def test_an_upload_into_a_file_of_full_length(index: Index, watching: Watch, suffix: str) -> None:
    """Of a file whose space was taken before it was written, no half picture is taken in, although a decoder makes one
    of the zeros: the file waits for its rest."""
    content = saved(noise(height=96, width=128), suffix)
    path = index.folder / name(0, suffix=suffix)
    with watching() as work:
        path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
        time.sleep(0.6)
        path.write_bytes(content)
        work.until_ready(name(0, suffix=suffix))
    assert index.rows("SELECT content_hash, state FROM images") == [(hashlib.sha256(content).hexdigest(), "ready")]


def test_a_picture_that_ends_in_zeros_is_taken_in_late(index: Index, watching: Watch) -> None:
    """A whole picture with a black edge, which nothing tells apart from half a picture, is one after the grace time."""
    edged = noise(height=96, width=128)
    edged[:8] = 0
    stepped = SteppedTime()
    with watching(time=stepped.clocks) as work:
        (index.folder / name(0, suffix="bmp")).write_bytes(saved(edged, "bmp"))
        index.put(name(1), picture())
        work.until_ready(name(1))
        stepped.forward(PATIENT.grace_s)
        work.until_ready(name(0, suffix="bmp"), name(1))
    assert dict(work.report.outcomes) == {"added": 2}
