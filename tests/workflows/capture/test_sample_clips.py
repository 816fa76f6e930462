"""The sample clips, read as `ingest` reads them and checked by brute force: each frame looked at is stored or has a
similar witness, the worst scores are exact, and no visit is missed."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from indexer.domain.descriptions import FileDescription, Limits, ThumbnailRecipe
from indexer.domain.profiles import BALANCED
from indexer.domain.similarity import is_similar
from indexer.domain.spans import SpanReason
from indexer.domain.videos import EPOCH, Sampling, VideoState
from indexer.imaging.file_description import describe_image
from indexer.imaging.frames import encode_frame
from indexer.imaging.matching import evidence_of_pair
from indexer.imaging.novelty import MEMORY, PreparedFrame, prepare_frame, prepare_stored
from indexer.imaging.video import StreamFrame
from indexer.workflows.capture import read_video as capture
from indexer.workflows.capture.read_video import VideoResult, VideoTask
from indexer.workflows.profile_parameters import thumbnail_recipe
from tests.conftest import SHARED
from tests.support.videos import VISITS, list_missed

pytest.importorskip("av", reason="needs PyAV: pip install av")
SCORING = BALANCED.scoring_parameters
THREE = {"bgslibrary_video.avi", "opencv4nodejs_traffic.mp4", "opencv_tree.avi"}
FRAMES = {3: 124, 9: 827}
"""So many frames are looked at in so many clips."""


@dataclass
class Clip:
    """What reading a clip gave, and by their times in microseconds the frames as the gate saw them, and as the
    thumbnails of their own files."""

    result: VideoResult = field(default_factory=VideoResult)
    seen: dict[int, PreparedFrame] = field(default_factory=dict)
    kept: dict[int, PreparedFrame] = field(default_factory=dict)

    def add(self, frame: StreamFrame, *, recipe: ThumbnailRecipe) -> PreparedFrame:
        """Notes a frame; returns it as the gate sees it."""
        data = encode_frame(frame.colour(), captured_at=EPOCH)
        described = describe_image(
            data, description=FileDescription("x.jpg"), recipes=[recipe], limits=Limits(), levels=None
        )
        self.seen[frame.offset_us] = prepare_frame(frame, recipe=recipe)
        self.kept[frame.offset_us] = prepare_stored(described.thumbnails[0])
        return self.seen[frame.offset_us]

    @property
    def stored_us(self) -> dict[str, int]:
        """The times of the stored frames, by their keys."""
        return {frame.key: frame.time.offset_us for frame in self.result.frames}

    def brute_force(self, *, memory: int) -> dict[int, tuple[int, float] | None]:
        """Of each frame its witness and their score, None of a new one: compared with the last stored ones, in the
        order in which they were last matched or stored."""
        answers, stored, used = dict[int, tuple[int, float] | None](), list[int](), dict[int, int]()
        for time_us, frame in self.seen.items():
            answers[time_us] = None
            for witness in sorted(stored[-memory:], key=lambda one: -used[one]):
                found = score(frame, self.kept[witness])
                if is_similar(found, max_score=SCORING.max_score):
                    answers[time_us] = witness, found
                    used[witness] = time_us
                    break
            else:
                stored.append(time_us)
                used[time_us] = time_us
        return answers


def score(frame: PreparedFrame, image: PreparedFrame) -> float:
    """The score of a frame and an image."""
    return evidence_of_pair(frame.pixels, image.pixels, scoring=SCORING).score


@pytest.fixture(scope="module", params=["three", pytest.param("all", marks=pytest.mark.drill)])
def clips(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Clip]:
    """Sample clips at two frames a second: three of them, in a drill all."""
    if not SHARED.is_dir():
        pytest.skip("needs the sample data (../shared/data), which is not here")
    recipe, read = thumbnail_recipe(BALANCED.preparation), dict[str, Clip]()
    assert recipe is not None
    for path in sorted((SHARED / "videos").iterdir()):
        if request.param == "three" and path.name not in THREE:
            continue
        clip = read[path.name] = Clip()
        folder = tmp_path_factory.mktemp("frames")
        (folder / "partial").mkdir()
        task = VideoTask(
            str(path), path.stem, EPOCH, "name", None, recipe, SCORING, (), 0.5, Sampling.ALL, str(folder),
            str(folder / "partial"), Limits(), 600.0,
        )  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(capture, "prepare_frame", clip.add)
            clip.result = capture.read_video(task)
    return read


def test_the_clips_are_read_whole(clips: dict[str, Clip]) -> None:
    """Nine clips of cameras and libraries, of 827 frames: none is damaged but at the begin of a stream."""
    readings = {name: clip.result.reading for name, clip in clips.items()}
    assert {
        name for name, reading in readings.items() if reading is None or reading.state is not VideoState.READ
    } == set()
    assert sum(clip.result.frames_read for clip in clips.values()) == FRAMES[len(clips)]
    unseen = [span for clip in clips.values() for span in clip.result.spans if span.reason is not SpanReason.SEEN]
    assert [span for span in unseen if span.last.offset_us > 2_000_000] == []


def test_every_frame_is_accounted_for(clips: dict[str, Clip]) -> None:
    """Each frame is stored, or counted in one span of the witness that brute force finds; the worst score of a span is
    the largest one of its frames, exactly, and below the limit."""
    for clip in clips.values():
        answers, stored_us = clip.brute_force(memory=MEMORY), clip.stored_us
        assert {time_us for time_us, answer in answers.items() if answer is None} == set(stored_us.values())
        left = {time_us: answer for time_us, answer in answers.items() if answer is not None}
        for span in (span for span in clip.result.spans if span.reason is SpanReason.SEEN):
            witness_us = stored_us[span.witness or ""]
            times = range(span.first.offset_us, span.last.offset_us + 1)
            of_span = {us: found for us, (witness, found) in left.items() if us in times and witness == witness_us}
            assert span.frames == len(of_span)
            assert span.worst is not None
            assert span.worst_score == max(of_span.values()) == of_span[span.worst.offset_us] < SCORING.max_score
            assert span.worst.at == EPOCH + timedelta(microseconds=span.worst.offset_us)
            left = {us: answer for us, answer in left.items() if us not in of_span}
        assert left == {}


def test_the_gate_stores_little_more_than_a_perfect_memory(clips: dict[str, Clip]) -> None:
    """The gate stores at most 1.02 times what one would that forgets nothing (of all clips 547 to 545)."""
    stored = sum(len(clip.result.frames) for clip in clips.values())
    perfect = sum(answer is None for clip in clips.values() for answer in clip.brute_force(memory=10_000).values())
    assert stored <= 1.02 * perfect


def test_storing_changes_no_score(clips: dict[str, Clip]) -> None:
    """A frame and the thumbnail of its own JPEG have the score 0."""
    scores = {score(clip.seen[time_us], clip.kept[time_us]) for clip in clips.values() for time_us in clip.seen}
    assert scores == {0.0}


def test_no_visit_is_missed(clips: dict[str, Clip]) -> None:
    """Each labelled visit of a person or a car has at least one stored frame of its own."""
    labelled = clips.keys() & VISITS.keys()
    assert labelled
    for name in labelled:
        assert list_missed(name, [time_us / 1e6 for time_us in clips[name].stored_us.values()]) == [], name
