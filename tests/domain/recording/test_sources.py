"""Sources: what a person names is understood, and no text that is made of a source holds its password."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.recording.sources import (
    SourceKind,
    hides_secret,
    list_source_lines,
    parse_source,
    parse_sources,
)
from indexer.errors import UsageError


@pytest.mark.parametrize(
    ("text", "camera", "kind", "shown"),
    [
        ("gate=rtsp://10.0.0.7:8554/live", "gate", SourceKind.RTSP, "rtsp://10.0.0.7:8554/live"),
        ("gate = rtsp://me:secret@cam/live?token=x#y", "gate", SourceKind.RTSP, "rtsp://cam/live"),
        ("back yard=http://[fe80::1]:80/snap.jpg", "back yard", SourceKind.HTTP, "http://[fe80::1]:80/snap.jpg"),
        ("lot=https://cam/mjpg/video.mjpg?user=me&pwd=secret", "lot", SourceKind.HTTP, "https://cam/mjpg/video.mjpg"),
        ("gate=rtsp://cam:554/user=me&password=secret&channel=1.sdp", "gate", SourceKind.RTSP, "rtsp://cam:554"),
        ("gate=rtsp://cam/user=me_Password=secret_channel=1.sdp?real", "gate", SourceKind.RTSP, "rtsp://cam"),
        ("gate=rtsp://cam/trackID=1", "gate", SourceKind.RTSP, "rtsp://cam/trackID=1"),
        ("usb=/dev/video0", "usb", SourceKind.DEVICE, "/dev/video0"),
    ],
)
def test_sources_are_understood(text: str, camera: str, kind: SourceKind, shown: str) -> None:
    """The camera, what kind of source it is, and what is shown of it."""
    source = parse_source(text)
    assert (source.camera, source.kind, source.shown) == (camera, kind, shown)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://cam/live",
        "gate",
        "=rtsp://cam/live",
        ".hidden=rtsp://cam/live",
        "a/b=rtsp://cam/live",
        "gate=",
        "gate=rtsp://",
        "gate=rtsp://cam:port/",
        "gate=ftp://cam/x",
        "gate=file:///etc/passwd",
        "gate=concat:a|b",
        "gate=/dev/../etc/passwd",
        "gate=video.mp4",
        "gate=rtsp://cam/li ve",
        "gate=rtsp://cam/a\nb",
        "gate=rtsp://me:1234/5678@cam/live",
        "gate=rtsp://me:12#34@cam/live",
        "gate=rtsp://me:12?34@cam/live",
    ],
)
def test_what_is_no_source_is_refused(text: str) -> None:
    """Among it files, lists of files and addresses that the library would open."""
    with pytest.raises(UsageError):
        parse_source(text)


SECRET = st.text("abcXYZ019%+-_.~/?#@", min_size=6).map(lambda text: f"pw{text}")


@given(
    SECRET,
    st.sampled_from(["rtsp", "http", "ftp", "rtsp:", ""]),
    st.sampled_from(["", ":bad", ":554"]),
    st.sampled_from(
        ["user:{0}@cam{1}/live?token={0}", "user:{0}@cam{1}/live", "cam{1}/user=me_password={0}_channel=1"]
    ),
)
def test_no_text_of_a_source_holds_the_password(secret: str, scheme: str, port: str, form: str) -> None:
    """Neither its repr, nor what is shown, nor an error with its traceback, whatever characters the password has."""
    text = f"gate={scheme}://{form.format(secret, port)}"
    source, problem = None, ""
    try:
        source = parse_source(text)
    except UsageError:
        problem = traceback.format_exc()
    assert secret not in problem + repr(source)
    if source is not None:
        assert secret not in source.shown
        assert hides_secret([source])


def test_each_camera_has_one_source() -> None:
    """Two sources of one camera, and none at all, are refused."""
    with pytest.raises(UsageError, match="two sources"):
        parse_sources(["a=rtsp://x/1", "b=rtsp://x/2", "a=rtsp://x/3"])
    with pytest.raises(UsageError, match="no source"):
        parse_sources([])


@pytest.mark.parametrize(("one", "other"), [("a:b", "a?b"), ("gate.", "gate"), ("Gate", "gate")])
def test_two_cameras_do_not_share_a_folder(one: str, other: str) -> None:
    """Their frames would lie among each other, and after a kill be taken for those of the other one."""
    with pytest.raises(UsageError, match="same folder"):
        parse_sources([f"{one}=rtsp://x/1", f"{other}=rtsp://x/2"])


def test_lines_of_a_sources_file() -> None:
    """A line names a source; comments and empty lines do not."""
    text = "# cameras\n\n gate = rtsp://me:pw@cam/1 \n\tlot=rtsp://cam/2\r\n"
    assert list_source_lines(text) == ["gate = rtsp://me:pw@cam/1", "lot=rtsp://cam/2"]
    assert [source.camera for source in parse_sources(list_source_lines(text))] == ["gate", "lot"]
