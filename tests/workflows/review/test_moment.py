"""explain --at: which image stands for a moment of a camera's videos."""

import pytest

from indexer.errors import CameraError, UsageError
from indexer.workflows.review.explain import explain_image
from indexer.workflows.review.moment import MomentDetails, MomentKind, explain_moment
from tests.workflows.capture.conftest import NOON, Videos, scene
from tests.workflows.capture.conftest import videos as videos

EMPTY, CAR = scene(), scene(200)


@pytest.fixture
def recorded(videos: Videos) -> Videos:
    """Two frames of an empty place, two with a car, and another empty one, a second apart."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY, EMPTY, CAR, CAR, EMPTY)
    videos.read()
    return videos


def at(recorded: Videos, time: str) -> MomentDetails:
    """What stands for the camera at a time of the day."""
    return explain_moment(recorded.index.database, "gate", f"2021-06-16T{time}")


@pytest.mark.parametrize(
    ("time", "kind", "image"),
    [
        ("12:00:00", MomentKind.STORED, 0),
        ("12:00:01.500", MomentKind.SEEN, 0),
        ("12:00:03Z", MomentKind.STORED, 1),
        ("14:00:04+02:00", MomentKind.SEEN, 1),
        ("12:00:04.500", MomentKind.BETWEEN, 1),
        ("12:00:05", MomentKind.SEEN, 0),
        ("12:00:02.500", MomentKind.BETWEEN, 0),
    ],
)
def test_the_image_of_a_moment(recorded: Videos, time: str, kind: MomentKind, image: int) -> None:
    """A moment is a stored frame, lies in a span with its witness, or between two frames that were looked at."""
    moment = at(recorded, time)
    assert (moment.kind, [one.path for one in moment.images]) == (
        kind,
        [str(recorded.frames.resolve() / recorded.stored()[image])],
    )
    assert [(video.started_at_source, video.interval_s) for video in moment.videos] == [("name", 1.0)]


def test_after_a_damaged_frame_no_image_stands_in(recorded: Videos) -> None:
    """Between two frames of which the first is damaged, no image stands for it: an older one shows another moment."""
    damaged = "reason = 'damaged', image_id = NULL, worst_score = NULL, worst_at = NULL"
    recorded.index.execute(f"UPDATE spans SET {damaged} WHERE id = (SELECT MIN(id) FROM spans)")
    moment = at(recorded, "12:00:02.500")
    assert (moment.kind, moment.images) == (MomentKind.BETWEEN, ())


def test_before_the_first_frame_nobody_had_looked(recorded: Videos) -> None:
    """Between the begin of a video and its first frame, what an earlier video showed stands for nothing."""
    recorded.make("gate_20210616_130000.mp4", CAR, EMPTY)
    recorded.read()
    recorded.index.execute("UPDATE videos SET started_at = '2021-06-16 12:59:59.000000' WHERE id = 2")
    moment = at(recorded, "12:59:59.500")
    assert (moment.kind, moment.images, len(moment.videos)) == (MomentKind.GAP, (), 1)


def test_a_video_that_was_read_again_is_asked_once(recorded: Videos) -> None:
    """Of a video that has grown the last reading answers alone, in spans, videos and images."""
    recorded.make(f"gate_{NOON}.mp4", EMPTY, EMPTY, EMPTY, CAR, CAR, EMPTY, EMPTY)
    recorded.read()
    moment = at(recorded, "12:00:01.500")
    assert (moment.kind, len(moment.spans), len(moment.videos)) == (MomentKind.SEEN, 1, 1)
    assert recorded.index.rows("SELECT COUNT(*) FROM spans") == [(6,)]


def test_a_moment_without_a_video(recorded: Videos) -> None:
    """Where no video was recorded, that is the answer, with the frames stored last before it."""
    moment = at(recorded, "13:00:00")
    assert (moment.kind, moment.images, moment.spans, moment.videos) == (MomentKind.NO_VIDEO, (), (), ())
    assert moment.before is not None
    assert (moment.before.offset_us, moment.after) == (3_000_000, None)


def test_what_a_person_typed_wrong(recorded: Videos) -> None:
    """A time that is none, and a camera that there is not, are refused with a sentence."""
    with pytest.raises(UsageError, match="2026-03-01T12:00:05"):
        explain_moment(recorded.index.database, "gate", "noon")
    with pytest.raises(CameraError, match="yard"):
        explain_moment(recorded.index.database, "yard", "2021-06-16T12:00:00")


def test_an_image_says_which_video_it_is_of(recorded: Videos) -> None:
    """`explain` of an image names its video and the offset in it, and for how many frames it stands."""
    first, second = (str(recorded.frames.resolve() / name) for name in recorded.stored())
    details = explain_image(recorded.index.database, second)
    assert details.video is not None
    assert (details.video.path, details.video.offset_us) == (str(recorded.folder / f"gate_{NOON}.mp4"), 3_000_000)
    assert (details.spans, details.span_frames, details.pinned) == (1, 1, True)
    assert explain_image(recorded.index.database, first).span_frames == 3
