"""Live cameras for tests: an HTTP server with MJPEG and single pictures, and a real RTSP server of GStreamer."""

import select
import shutil
import signal
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

_SERVER_STARTS_WITHIN_S = 20.0
SYSTEM_PYTHON = "/usr/bin/python3"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly python3-gi"


def scene(*cars: int) -> NDArray[np.uint8]:
    """A grey place, (240, 320, 3), with a bright square for each left edge in `cars`."""
    frame = np.full((240, 320, 3), 90, dtype=np.uint8)
    frame[:80] = 60
    for left in cars:
        frame[120:180, left : left + 60] = 230
    return frame


@dataclass(frozen=True)
class Answer:
    """What a web server answers."""

    body: bytes = b""
    kind: str = "text/html"
    code: int = 200
    location: str | None = None


@dataclass
class WebCamera:
    """A camera that sends its `picture` by HTTP: /stream without end, /snapshot once, /garbage nonsense, /silent
    nothing, and /odd its `answer`. `opened`: how often it was asked; `password`: USER:PASSWORD that it wants."""

    port: int = 0
    picture: NDArray[np.uint8] = field(default_factory=scene)
    rate: float = 40.0
    password: str | None = None
    opened: int = 0
    is_open: bool = True
    cut_after: int = 10**9
    """Bytes of a picture that are sent."""
    answer: Answer = Answer()
    boundary: str = "frame"
    """What the head of a stream says that separates its pictures."""
    added_length: int = 0
    """So many bytes more than there are does a stream announce."""

    def address(self, path: str) -> str:
        """The address of one of its streams, with the password."""
        user = "" if self.password is None else f"{self.password}@"
        return f"http://{user}127.0.0.1:{self.port}/{path}"

    def jpeg(self) -> bytes:
        """The picture as it is sent."""
        return cv2.imencode(".jpg", self.picture)[1].tobytes()[: self.cut_after]


class _Server(ThreadingHTTPServer):
    """An HTTP server of one camera."""

    daemon_threads = True

    def __init__(self, camera: WebCamera) -> None:
        self.camera, self.stopped = camera, threading.Event()
        super().__init__(("127.0.0.1", camera.port), _Handler)
        camera.port = self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        camera = self.server.camera
        camera.opened += 1
        wanted = None if camera.password is None else f"Basic {b64encode(camera.password.encode()).decode()}"
        if wanted is not None and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        with suppress(OSError):
            self._serve(camera)

    def _serve(self, camera: WebCamera) -> None:
        if self.path == "/odd":
            self._answer(camera.answer)
            return
        kinds = {"/stream": f"multipart/x-mixed-replace;boundary={camera.boundary}", "/snapshot": "image/jpeg"}
        self.send_response(200)
        self.send_header("Content-Type", kinds.get(self.path, "application/octet-stream"))
        data = camera.jpeg()
        if self.path == "/snapshot":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.path == "/snapshot":
            self.wfile.write(data)
            return
        while camera.is_open and not self.server.stopped.is_set():
            if self.path == "/garbage":
                self.wfile.write(np.random.default_rng(1).bytes(1_000_000))
            elif self.path == "/stream":
                data = camera.jpeg()
                head = (
                    f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data) + camera.added_length}\r\n\r\n"
                )
                self.wfile.write(head.encode() + data + b"\r\n")
            self.server.stopped.wait(1 / camera.rate)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.code)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.location is not None:
            self.send_header("Location", answer.location)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@contextmanager
def web_camera(**how: Any) -> Iterator[WebCamera]:
    """A camera with an HTTP server, until the end of the block."""
    server = _Server(WebCamera(**how))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.camera
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def has_rtsp_server() -> bool:
    """Whether the system has what the RTSP server needs."""
    script = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); raise SystemExit(not Gst.ElementFactory.find('x264enc'))"
    )
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", script], capture_output=True).returncode == 0


needs_rtsp_server = pytest.mark.skipif(
    not has_rtsp_server(), reason=f"there is no RTSP server of GStreamer; apt-get install {PACKAGES}"
)


def pipeline(
    pattern: str = "ball", *, rate: int = 10, size: str = "320x240", keyframe_s: float = 1.0, codec: str = "264"
) -> str:
    """The pipeline of a stream with one of GStreamer's test patterns; `ball` moves, `pinwheel` does not.

    `codec`: 264, or 265 for HEVC.
    """
    width, height = size.split("x")
    return (
        f"videotestsrc is-live=true pattern={pattern} ! video/x-raw,width={width},height={height},framerate={rate}/1 ! "
        f"x{codec}enc tune=zerolatency speed-preset=ultrafast key-int-max={round(rate * keyframe_s)} ! "
        f"rtph{codec}pay name=pay0 pt=96 config-interval=1"
    )


def certificate(folder: Path) -> Path:
    """A file with a certificate of its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl; apt-get install openssl")
    key, file = folder / "key.pem", folder / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=camera", "-days", "2"]
    subprocess.run(["openssl", *words, "-keyout", key, "-out", file], check=True, capture_output=True)
    file.write_text(file.read_text() + key.read_text())
    return file


class RtspServer:
    """A server that can be killed, stopped and started again at its port."""

    def __init__(
        self, streams: dict[str, str], *, password: str | None = None, certificate: Path | None = None
    ) -> None:
        self._streams, self.port, self._scheme = streams, 0, "rtsp" if certificate is None else "rtsps"
        options = {"--password": password, "--certificate": certificate}
        self._options = [str(word) for pair in options.items() if pair[1] is not None for word in pair]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, at the port that it had before."""
        streams = [f"{name}={pipeline}" for name, pipeline in self._streams.items()]
        script = Path(__file__).with_name("rtsp_server.py")
        words = [SYSTEM_PYTHON, str(script), str(self.port), *streams, *self._options]
        for _ in range(10):
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert process.stdout is not None
            is_ready = bool(select.select([process.stdout], [], [], _SERVER_STARTS_WITHIN_S)[0])
            line = process.stdout.readline().strip() if is_ready else ""
            if line.isdigit():
                self.port, self._process = int(line), process
                return
            process.kill()
            process.wait()
            process.stdout.close()
            time.sleep(0.1)
        pytest.fail("the RTSP server does not start")

    def signal(self, number: int) -> None:
        """Sends it a signal; after SIGKILL it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def stop(self) -> None:
        """Ends it, if it is there."""
        if self._process is not None:
            self.signal(signal.SIGKILL)

    def address(self, name: str) -> str:
        """The address of a stream, without password."""
        return f"{self._scheme}://127.0.0.1:{self.port}/{name}"


@contextmanager
def rtsp_server(
    streams: dict[str, str], *, password: str | None = None, certificate: Path | None = None
) -> Iterator[RtspServer]:
    """A server that runs, until the end of the block; with a certificate it serves rtsps alone."""
    server = RtspServer(streams, password=password, certificate=certificate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
