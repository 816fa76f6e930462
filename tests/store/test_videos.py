"""Videos and spans in the index: every frame of a video is an image or in a span, and a witness is pinned."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from indexer.domain.images import ImageState
from indexer.domain.selection import Decision, Reason
from indexer.domain.spans import FrameTime, Span, SpanReason
from indexer.domain.videos import VideoState
from indexer.errors import DatabaseError
from indexer.store import audit_queries, images, pins, profiles, relocation, spans, video_names, videos
from indexer.store.database import Database
from indexer.store.forgetting import ForgetScope, count_rows, delete_rows
from indexer.store.ranked_images import list_present
from indexer.store.spans import SpanCounts
from indexer.store.tables import ImageRow, VideoRow
from indexer.store.videos import FrameOrigin, NewVideo, VideoCounts
from tests.support.databases import execute, on_sqlite, rows

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VIDEO = NewVideo(
    path="/videos/gate.mp4",
    root="/videos",
    camera="gate",
    camera_source="name",
    size_bytes=2**33,
    mtime_ns=2**60,
    fingerprint="f",
    state=VideoState.READ,
    started_at=NOON,
    started_at_source="container",
    length_s=600.0,
    duration_s=600.0,
    width=640,
    height=480,
    codec="h264",
    sampling="keyframes",
    interval_s=1.0,
    frames_read=9,
    frames_stored=2,
)
ODD = "/videos/caf\udce9.mp4"

Add = Callable[..., int]


def second(number: float) -> FrameTime:
    """A frame at a second of the video."""
    return FrameTime(round(number * 1_000_000), NOON + timedelta(seconds=number))


def seen(witness: str, first: float, last: float, frames: int, score: float = 412.5) -> Span:
    """Frames that are all like a witness."""
    return Span(SpanReason.SEEN, second(first), second(last), frames, witness, score, second(first))


@pytest.fixture
def film(database: Database, add: Add, run_id: int) -> Callable[..., dict[str, int]]:
    """Adds a video with images at some seconds, and spans; the ids of the video and of its images, by their seconds."""

    def make(
        *found: Span, stored: Mapping[str, float] | None = None, video: NewVideo = VIDEO, **changes: Any
    ) -> dict[str, int]:
        offsets = {"0": 0.0, "5": 5.0} if stored is None else stored
        ids = {key: add(f"/frames/{key}.jpg", at=second(offset).at) for key, offset in offsets.items()}
        with database.write() as session:
            new = replace(video, **changes)
            videos.end_earlier_reading(session, new)
            video_id = videos.add_video(session, new, run_id=run_id)
            frame_offsets = {ids[key]: second(offset).offset_us for key, offset in offsets.items()}
            videos.add_video_frames(session, video_id, frame_offsets)
            profile_id = profiles.get_profile(session, "balanced").id
            how: Any = {"video_id": video_id, "profile_id": profile_id, "every_s": 1.0, "run_id": run_id}
            spans.add_spans(session, found, image_ids=ids, **how)
        return ids | {"video": video_id}

    return make


def ask(database: Database, name: str, **parameters: str) -> list[tuple[Any, ...]]:
    """A whole answer of a ready-made query."""
    with audit_queries.run_audit(database, name, parameters) as table:
        return list(table)


def test_a_video_is_known_again(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """By its path while it is present, by its fingerprint always, and below a folder."""
    ids = film()
    odd = film(stored={}, path=ODD, fingerprint="odd", frames_read=0, frames_stored=0)
    with database.read() as session:
        known = videos.list_known_videos(session, [VIDEO.path, ODD, "/none"])
        assert {path: video.id for path, video in known.items()} == {VIDEO.path: ids["video"], ODD: odd["video"]}
        assert (known[ODD].camera, known[ODD].state, known[ODD].size_bytes) == ("gate", VideoState.READ, 2**33)
        assert {video.path for video in videos.iter_present_videos_under(session, "/videos")} == {VIDEO.path, ODD}
        assert [video.id for video in videos.list_videos_by_fingerprint(session, ["f"])] == [ids["video"]]
        assert videos.find_frame_origin(session, ids["5"]) == FrameOrigin(
            ids["video"], VIDEO.path, None, 5_000_000, NOON, "container"
        )
        assert videos.find_frame_origin(session, 999) is None


def test_a_replaced_video_keeps_its_images(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """Other bytes at the path make a new row; the old one is missing, as replaced, and known by its fingerprint."""
    ids = film()
    new = film(stored={}, fingerprint="other", state=VideoState.UNREADABLE, state_reason="cut", frames_read=0,
               frames_stored=0)  # fmt: skip
    with database.read() as session:
        assert videos.list_known_videos(session, [VIDEO.path])[VIDEO.path].id == new["video"]
        (old,) = videos.list_videos_by_fingerprint(session, ["f"])
        assert (old.id, old.missing_reason) == (ids["video"], "replaced")
        assert videos.find_frame_origin(session, ids["0"]) is not None
        assert videos.count_videos(session) == VideoCounts(0, 0, 1, 1, 9, 2)


def test_a_video_moves_and_comes_back(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """Missing at its path, present at another one; what is at that path already is replaced."""
    ids = film()
    other = film(stored={}, path="/videos/b.mp4", fingerprint="b")
    with database.write() as session:
        assert videos.mark_videos_missing(session, {ids["video"]: "/elsewhere"}) == 0
        assert videos.mark_videos_missing(session, {ids["video"]: VIDEO.path}) == 1
        assert videos.list_known_videos(session, [VIDEO.path]) == {}
        videos.relocate_video(session, ids["video"], path="/videos/b.mp4", root="/videos", mtime_ns=7)
        known = videos.list_known_videos(session, ["/videos/b.mp4"])["/videos/b.mp4"]
        assert (known.id, known.mtime_ns, known.missing_reason) == (ids["video"], 7, None)
        (replaced,) = videos.list_videos_by_fingerprint(session, ["b"])
        assert (replaced.id, replaced.missing_reason) == (other["video"], "replaced")


@on_sqlite
def test_paths_are_read_as_far_as_they_are_needed(
    database: Database, film: Callable[..., dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first path of a camera with many videos costs a batch of rows."""
    film(stored={})
    columns = ", ".join(column.key for column in VideoRow.__table__.columns if column.key not in {"id", "path"})
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
    execute(database, f"INSERT INTO videos (path, {columns}) {many} SELECT path || i, {columns} FROM videos, n")
    read = list[str]()
    monkeypatch.setattr("indexer.store.columns.path_from_text", lambda text: read.append(text) or text)
    with database.read() as session:
        assert next(video_names.iter_paths(session, "gate"))[1] == "name"
    assert 0 < len(read) <= 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "lost"},
        {"state": "unreadable"},
        {"started_at": None},
        {"frames_stored": 10},
    ],
)
def test_impossible_videos_are_refused(film: Callable[..., dict[str, int]], changes: dict[str, Any]) -> None:
    """A state that does not exist, an unreadable video with frames, a time from nowhere, more stored than read."""
    with pytest.raises(DatabaseError):
        film(**changes)


@pytest.mark.parametrize(
    "change",
    ["image_id = NULL", "reason = 'gap'", "worst_score = NULL", "frames = 0", "to_at = from_at, from_at = to_at",
     "reason = 'dull'", "profile_id = NULL"],
)  # fmt: skip
def test_impossible_spans_are_refused(database: Database, film: Callable[..., dict[str, int]], change: str) -> None:
    """Frames that were seen have a witness, a score and a profile, a gap has no frames, and time goes forward."""
    film(seen("0", 1, 4, 4))
    with pytest.raises(Exception, match=r"(?i)constraint"):
        execute(database, f"UPDATE spans SET {change}")


def test_a_witness_is_pinned(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """The image that a span names is pinned, by nobody's hand, also as if nothing had been removed."""
    ids = film(seen("0", 1, 4, 4), seen("5", 6, 9, 3))
    third = film(stored={"7": 7.0}, path="/videos/b.mp4")
    with database.read() as session:
        pinned = set(session.scalars(select(ImageRow.id).where(pins.is_pinned(ImageRow.id))))
        assert pinned == {ids["0"], ids["5"]}
        assert set(session.scalars(select(ImageRow.id).where(pins.is_pinned_by_person(ImageRow.id)))) == set()
        (camera_id,) = session.scalars(select(ImageRow.camera_id).distinct())
        for with_removed in (True, False):
            ranked = list_present(session, camera_id, preparation_id=None, with_removed=with_removed)
            assert {image.id: image.pinned for image in ranked if image.id == ids["0"]} in ({ids["0"]: True}, {})
            assert third["7"] not in {image.id for image in ranked if image.pinned}


def test_spans_are_counted_and_come_back(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """A span has all that was measured; gaps and damaged frames have no witness; frames are counted once."""
    gap = Span(SpanReason.GAP, second(9), second(60), 0, detail="no keyframes")
    damaged = Span(SpanReason.DAMAGED, second(61), second(62), 2, detail="its data are incomplete")
    ids = film(seen("0", 1, 4, 4), gap, damaged)
    with database.read() as session:
        assert spans.count_spans(session) == spans.count_spans(session, camera="gate") == SpanCounts(2, 6, 1)
        assert spans.count_spans(session, camera="none") == SpanCounts(0, 0, 0)
        assert spans.sum_of_witness(session, ids["0"]) == (1, 4)
        (span,) = spans.find_moment(session, "gate", second(2).at).spans
    assert (span.reason, span.from_at, span.to_at, span.frames, span.every_s) == (
        SpanReason.SEEN, second(1).at, second(4).at, 4, 1.0,
    )  # fmt: skip
    assert (span.witness_path, span.worst_score, span.worst_at, span.max_score, span.profile, span.video_path) == (
        "/frames/0.jpg", 412.5, second(1).at, 1000.0, "balanced", VIDEO.path,
    )  # fmt: skip


def test_an_unknown_witness_is_an_error(film: Callable[..., dict[str, int]]) -> None:
    """A span without its witness is not stored."""
    with pytest.raises(KeyError):
        film(seen("7", 1, 4, 4))


def test_what_stands_for_a_moment(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """Spans around a time, and the nearest stored frames before and after it."""
    ids = film(seen("0", 1, 4, 4), seen("5", 6, 9, 3))
    with database.read() as session:
        moment = spans.find_moment(session, "gate", second(3).at)
        assert [span.witness_id for span in moment.spans] == [ids["0"]]
        assert moment.before is not None
        assert moment.after is not None
        assert (moment.before.image_id, moment.after.image_id) == (ids["0"], ids["5"])
        assert (moment.after.offset_us, moment.after.state) == (5_000_000, ImageState.READY)
        exact = spans.find_moment(session, "gate", second(5).at)
        assert (exact.spans, exact.before and exact.before.image_id, exact.after) == ((), ids["5"], None)
        nothing = spans.find_moment(session, "yard", second(5).at)
        assert (nothing.spans, nothing.before, nothing.after) == ((), None, None)


def test_memory_of_the_gate(database: Database, add: Add, decide: Callable[..., None]) -> None:
    """The latest images that are kept, or not decided yet, with a thumbnail, oldest first."""
    ids = [add(f"/frames/{number}.jpg", at=second(number).at) for number in range(6)]
    timeless = add("/frames/x.jpg", at=None)
    decide(Decision(ids[0], Reason.NEW), Decision(ids[1], Reason.SIMILAR, ids[0], 1.0))
    with database.write() as session:
        images.set_state(session, [ids[2]], ImageState.MISSING)
        preparation_id = profiles.get_profile(session, "balanced").preparation_id
    for image_id in (*ids[:5], timeless):
        values = "INSERT INTO thumbnails (image_id, preparation_id, width, height, data) VALUES (?, ?, 1, 1, ?)"
        execute(database, values, image_id, preparation_id, b"PNG")
    with database.read() as session:
        (camera_id,) = session.scalars(select(ImageRow.camera_id).distinct())
        kept = spans.list_latest_kept(session, camera_id, preparation_id=preparation_id, limit=2)
        assert [image.path for image in kept] == ["/frames/3.jpg", "/frames/4.jpg"]
        assert len(spans.list_latest_kept(session, camera_id, preparation_id=preparation_id)) == 3
        assert (kept[0].thumbnail, kept[0].flat) == (b"PNG", False)


def test_audits_of_videos(database: Database, film: Callable[..., dict[str, int]], decide: Callable[..., None]) -> None:
    """What was new in each video, when nobody looked, the quiet times, and the days on which something was shown."""
    gap = Span(SpanReason.GAP, second(9), second(99), 0, detail="no keyframes")
    short = Span(SpanReason.GAP, second(100), second(103), 0, detail="no frames")
    ids = film(seen("0", 1, 4, 4), seen("5", 6, 9, 3), gap, short)
    decide(Decision(ids["0"], Reason.NEW), Decision(ids["5"], Reason.SIMILAR, ids["0"], 1.0))
    late = {"path": "/videos/late.mp4", "started_at": NOON + timedelta(seconds=3600), "frames_read": 0}
    film(stored={}, frames_stored=0, state=VideoState.PARTIAL, state_reason="ends early", **late)
    assert [(row[1], row[5:10]) for row in ask(database, "videos")] == [
        ("/videos/gate.mp4", (9, 2, 1, "read", None)),
        ("/videos/late.mp4", (0, 0, 0, "partial", "ends early")),
    ]
    noon, one = "2026-01-01 12:", "2026-01-01 13:00:00.000000"
    assert ask(database, "gaps") == [
        ("gate", f"{noon}00:09.000000", f"{noon}01:39.000000", 90.0, "no keyframes", "/videos/gate.mp4", None),
        ("gate", f"{noon}10:00.000000", one, 3000.0, "no video", "/videos/late.mp4", None),
    ]
    assert len(ask(database, "gaps", seconds="3")) == 3
    quiet = ask(database, "quiet")
    assert [(row[3], row[4], row[6]) for row in quiet] == [(3.0, 4, "/frames/0.jpg"), (3.0, 3, "/frames/5.jpg")]
    assert ask(database, "shown") == [("gate", "2026-01-01", 1, 2, 9)]


def test_videos_that_overlap_have_no_gap(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """A camera is looked at as long as one of its videos lasts."""
    film(stored={})
    for number, start in enumerate([60, 120, 600, 661]):
        video = replace(VIDEO, path=f"/videos/{number}.mp4", started_at=second(start).at, length_s=1.0)
        film(stored={}, video=video)
    assert [(row[3], row[5]) for row in ask(database, "gaps", seconds="0") if row[3]] == [(60.0, "/videos/3.mp4")]


@pytest.mark.parametrize("folder", ["/videos", "/frames/0.jpg", None])
def test_forgetting_leaves_no_half_account(
    database: Database, film: Callable[..., dict[str, int]], add: Add, folder: str | None
) -> None:
    """With a video, one of its images, a witness, or the camera, all that the index has of the video goes."""
    film(seen("0", 1, 4, 4), seen("5", 6, 9, 3))
    add("/other/1.jpg", camera="yard")
    scope = ForgetScope(camera="gate") if folder is None else ForgetScope(folder=folder)
    with database.write() as session:
        counted = count_rows(session, scope)
        delete_rows(session, scope)
    assert (counted.videos, counted.spans) == (1, 2)
    for table in ("videos", "spans", "video_frames"):
        assert rows(database, f"SELECT COUNT(*) FROM {table}") == [(0,)]
    left = {None: ["yard"], "/videos": ["gate", "yard"], "/frames/0.jpg": ["gate", "yard"]}[folder]
    assert [name for (name,) in rows(database, "SELECT name FROM cameras ORDER BY name")] == left


def test_a_camera_that_has_videos_alone_stays(
    database: Database, film: Callable[..., dict[str, int]], add: Add
) -> None:
    """Forgetting another camera does not take a camera away whose videos showed nothing new yet."""
    film(stored={}, frames_stored=0)
    add("/other/1.jpg", camera="yard")
    with database.write() as session:
        delete_rows(session, ForgetScope(camera="yard"))
    assert rows(database, "SELECT name FROM cameras") == [("gate",)]


def test_videos_are_relocated(database: Database, film: Callable[..., dict[str, int]]) -> None:
    """With their folder videos get new paths and roots, odd names too; others stay."""
    film()
    film(stored={}, path=ODD, fingerprint="odd")
    film(stored={}, path="/videos2/c.mp4", root="/videos2", fingerprint="c")
    with database.write() as session:
        assert relocation.list_known_paths(session, [ODD]) == {ODD}
        assert len(list(relocation.iter_present_videos_below(session, "/videos"))) == 2
        assert relocation.relocate(session, "/videos", "/archive").videos == 2
        known = videos.list_known_videos(session, ["/archive/gate.mp4", ODD.replace("videos", "archive")])
        assert {video.root for video in known.values()} == {"/archive"}
        assert len(known) == 2
        assert videos.list_known_videos(session, ["/videos2/c.mp4"])["/videos2/c.mp4"].root == "/videos2"
