"""record on a real RTSP server of GStreamer: killed, stopped, stalled and started again, wrong password, garbage."""

import os
import signal
from pathlib import Path

from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.support.live_cameras import certificate, needs_rtsp_server, pipeline, rtsp_server, web_camera
from tests.support.recordings import recording

pytestmark = needs_rtsp_server


@on_sqlite
def test_a_server_that_is_killed_stopped_and_started_again(index: Index, tmp_path: Path) -> None:
    """Three cameras of a server that is stopped, goes on, and is killed; each comes back, and a fourth never stops."""
    often = {"rate": 10, "keyframe_s": 0.5}
    streams = {"ball": pipeline(**often), "still": pipeline("pinwheel", **often), "snow": pipeline("snow", **often)}
    descriptors = len(os.listdir("/proc/self/fd"))
    with rtsp_server(streams, password="me:secret") as server, web_camera() as other:
        sources = [f"{name}={server.address(name).replace('//', '//me:secret@')}" for name in streams]
        sources.append(f"other={other.address('snapshot')}")
        with recording(
            index.database, tmp_path / "frames", *sources, every_s=0.5, timeout_s=3.0, max_per_minute=20
        ) as work:
            for name in streams:
                work.until_frames(2, name)
            server.signal(signal.SIGSTOP)
            work.until(lambda: all(any(f"{name!a} is away" in line for line in work.lines) for name in streams))
            server.signal(signal.SIGCONT)
            for name in streams:
                work.until(lambda name=name: f"camera {name!a} is recorded again" in work.lines)  # type: ignore[misc]
            server.signal(signal.SIGKILL)
            ended = "SELECT COUNT(DISTINCT camera_id) FROM recordings WHERE ended_because = 'lost'"
            work.until(lambda: work.count(ended) == 3)
            server.start()
            begun = "SELECT COUNT(DISTINCT camera_id) FROM recordings WHERE ended_at IS NULL"
            work.until(lambda: work.count(begun) == 4)
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 6, "those of the fork server, and none of a recording"
    because = index.rows("SELECT camera, ended_because FROM audit_recordings ORDER BY camera, recording_id")
    for name in streams:
        reasons = [reason for camera, reason in because if camera == name]
        assert {reasons[0], "lost"} <= set(reasons)
        assert "stalled" in reasons
        assert reasons[-1] == "stopped"
    assert [reason for camera, reason in because if camera == "other"] == ["stopped"]
    still = index.rows(
        "SELECT COUNT(*) FROM images JOIN cameras ON cameras.id = camera_id WHERE name = 'still' AND state = 'ready'"
    )
    assert still == [(1,)], "a reconnect alone stores nothing"


@on_sqlite
def test_a_server_with_another_password(index: Index, tmp_path: Path) -> None:
    """By TLS: the camera is away with a reason, and is not asked again at once; the one with the right password is
    recorded."""
    with rtsp_server({"ball": pipeline()}, password="me:secret", certificate=certificate(tmp_path)) as server:
        right = server.address("ball").replace("//", "//me:secret@")
        sources = [f"right={right}", f"wrong={right.replace('secret', 'guess')}"]
        with recording(index.database, tmp_path / "frames", *sources) as work:
            work.until_frames(3, "right")
    assert work.source("wrong").reason == "the camera refused the password"
    assert (work.source("right").recordings, work.source("wrong").recordings) == (1, 0)
