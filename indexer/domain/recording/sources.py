"""Live sources as people name them: `NAME=SOURCE`, or lines of a file. Passwords stay in them and are never shown."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit, urlunsplit

from indexer.domain.frame_paths import file_name_of_camera
from indexer.errors import UsageError

_NAME = re.compile(r"[^=/\x00-\x1f\x7f]+")
_SCHEMES = ("rtsp", "rtsps", "http", "https")
_SECRET_IN_PATH = re.compile(r"(user|usr|login|pass|pwd|token|auth|key|secret)[a-z]*=", re.IGNORECASE)
"""Some recorders want user and password in the path, as /user=admin_password=x_channel=1.sdp."""
_DEVICE = re.compile(r"/dev/[A-Za-z0-9_./-]+")


class SourceKind(StrEnum):
    """What a source is: an RTSP stream, one by HTTP (a stream or a single picture), or a device of the machine."""

    RTSP = "rtsp"
    HTTP = "http"
    DEVICE = "device"


@dataclass(frozen=True)
class LiveSource:
    """A camera and where its frames come from.

    Attributes
    ----------
    camera : str
        The name of the camera.
    kind : SourceKind
    address : str
        What is opened, with the password if there is one. It is left out of any text that is made of the source.
    shown : str
        The same without user, password and query, and without a path that holds one of them, as it may be stored and
        shown.
    has_password : bool
        Whether the address holds something that others should not read: a password, a query, or such a path.
    """

    camera: str
    kind: SourceKind
    address: str = field(repr=False)
    shown: str
    has_password: bool = False


def parse_source(text: str) -> LiveSource:
    """The source in `NAME=SOURCE`. Raises `UsageError`, whose text never holds what comes after the sign."""
    name, sign, address = text.partition("=")
    name, address = name.strip(), address.strip()
    if not sign or not _NAME.fullmatch(name) or not name.isprintable() or name.startswith("."):
        raise UsageError("a source does not have the form NAME=SOURCE; write it as gate=rtsp://camera/stream")
    if _DEVICE.fullmatch(address) and ".." not in address:
        return LiveSource(name, SourceKind.DEVICE, address, address)
    return _parse_url(name, address)


def parse_sources(texts: Sequence[str]) -> list[LiveSource]:
    """The sources in several texts.

    Raises `UsageError` also if there is none, if two are of one camera, or if two cameras would share a folder.
    """
    sources = [parse_source(text) for text in texts]
    if not sources:
        raise UsageError("no source was given; give NAME=SOURCE, --sources FILE, or [[record]] in indexer.toml")
    names = [source.camera for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"camera {name!r} has two sources; give each camera one")
    folders = dict[str, str]()
    for name in names:
        other = folders.setdefault(file_name_of_camera(name).casefold(), name)  # many disks ignore the case
        if other != name:
            raise UsageError(f"frames of the cameras {other!r} and {name!r} would go to the same folder; rename one")
    return sources


def list_source_lines(text: str) -> list[str]:
    """The lines of a sources file that name a source; empty lines and those that begin with # are left out.

    A line is `NAME = SOURCE`.
    """
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def hides_secret(sources: Iterable[LiveSource]) -> bool:
    """Whether one of these sources holds what others should not read."""
    return any(source.has_password for source in sources)


def _parse_url(name: str, address: str) -> LiveSource:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"the source of camera {name!r} is not a valid URL") from None
    if parts.scheme not in _SCHEMES or not host or not address.isprintable() or " " in address:
        raise UsageError(
            f"the source of camera {name!r} cannot be recorded; give rtsp://, rtsps://, http:// or https://, or a "
            "device as /dev/video0; a video file is for the command ingest"
        )
    shown_host = f"[{host}]" if ":" in host else host
    if "@" in urlunsplit(("", "", parts.path, parts.query, parts.fragment)):
        raise UsageError(
            f"the source of camera {name!r} has an @ after its host; write the characters / ? # @ of a password as %2F "
            "%3F %23 %40, and an @ of a path or query as %40"
        )
    place = shown_host if port is None else f"{shown_host}:{port}"
    is_secret_path = _SECRET_IN_PATH.search(unquote(parts.path)) is not None
    shown = urlunsplit((parts.scheme, place, "" if is_secret_path else parts.path, "", ""))
    kind = SourceKind.RTSP if parts.scheme.startswith("rtsp") else SourceKind.HTTP
    has_password = "@" in parts.netloc or bool(parts.query or parts.fragment) or is_secret_path
    return LiveSource(name, kind, address, shown, has_password=has_password)
