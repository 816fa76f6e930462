"""Frozen and silent: by the rows of the index, over a year of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from indexer.domain.advice.capture import examine_frozen, examine_silence, examine_still
from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from tests.domain.advice.test_view import PLAIN

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def captures(count: int, *, every: timedelta = timedelta(minutes=5)) -> list[Capture]:
    """Images that a camera took at even times, each with other bytes."""
    times = [BEGIN + number * every for number in range(count)]
    return [Capture(number + 1, time, f"{number:x}", time.timestamp() + 2, True) for number, time in enumerate(times)]


def found(answers: object) -> list[CameraFinding]:
    """The findings among some answers."""
    return [answer for answer in answers if isinstance(answer, CameraFinding)]  # type: ignore[attr-defined]


def test_quiet_year() -> None:
    """A year of images at even times has nothing wrong with it."""
    year = captures(365 * 24, every=timedelta(hours=1))
    now = year[-1].captured_at + timedelta(minutes=30)
    answers = [*examine_frozen(year), *examine_silence(year, now=now, days=14)]
    assert answers == []


def test_frozen() -> None:
    """The same bytes at more than ten times: the picture stood still, since the first and until the next other one."""
    images = captures(60)
    stuck = [Capture(one.image_id, one.captured_at, "stuck", one.mtime_s, True) for one in images[20:35]]
    (frozen,) = found(examine_frozen([*images[:20], *stuck, *images[35:]]))
    assert (frozen.kind, frozen.since, frozen.until) == (Kind.FROZEN, images[20].captured_at, images[35].captured_at)
    assert found(examine_frozen([*images[:20], *stuck[:10], *images[30:]])) == []


def test_copies_of_one_time_are_not_frozen() -> None:
    """Copies of one file at one time say nothing about the camera."""
    image = captures(1)[0]
    assert list(examine_frozen([image] * 40)) == []


def test_silent_gap_and_end() -> None:
    """A gap of hours is found with its end; silence until now is found without one."""
    images = captures(300)
    gap = [*images[:100], *images[160:]]
    (silent,) = found(examine_silence(gap, now=images[-1].captured_at, days=14))
    assert (silent.since, silent.until) == (images[99].captured_at, images[160].captured_at)
    (ended,) = found(examine_silence(images, now=images[-1].captured_at + timedelta(days=2), days=14))
    assert (ended.since, ended.until) == (images[-1].captured_at, None)


class CountedTime(datetime):
    """A time that counts how often one is subtracted from another."""

    subtracted = 0

    def __sub__(self, other: Any) -> Any:
        CountedTime.subtracted += 1
        return super().__sub__(other)


def test_many_pauses_are_not_compared_with_all_images() -> None:
    """Two hundred pauses among ten thousand images cost some steps for each image, and not for each pair of both."""
    begins = [timedelta(minutes=40 * number) for number in range(200)]
    times = [CountedTime(2026, 1, 1, tzinfo=UTC) + begin + timedelta(seconds=k) for begin in begins for k in range(50)]
    images = [Capture(number, time, f"{number:x}", time.timestamp(), True) for number, time in enumerate(times)]
    CountedTime.subtracted = 0
    assert list(examine_silence(images, now=times[-1], days=14)) == []
    assert len(images) <= CountedTime.subtracted <= 20 * len(images)


def test_times_that_were_looked_at_are_not_silent() -> None:
    """While frames of a live camera are looked at and show nothing new, it is not silent, though it has no image; when
    that ends, it is."""
    images = captures(300)
    gap = [*images[:100], *images[160:]]
    looked_at = [(one.captured_at, one.captured_at + timedelta(minutes=4)) for one in images[100:160]]
    now = images[-1].captured_at
    assert found(examine_silence(gap, looked_at=looked_at, now=now, days=14)) == []
    later = [(now, now + timedelta(hours=3))]
    assert found(examine_silence(images, looked_at=later, now=now + timedelta(hours=3, minutes=1), days=14)) == []
    (silent,) = found(examine_silence(images, looked_at=later, now=now + timedelta(hours=9), days=14))
    assert (silent.since, silent.until) == (now + timedelta(hours=3), None)


def still(begin: int, end: int, *, count: int = 60) -> list[CameraFinding]:
    """What is found in frames five minutes apart, of which those from `begin` to before `end` show the same."""
    frames = [MeasuredFrame(number + 1, BEGIN + number * timedelta(minutes=5), PLAIN) for number in range(count)]
    return found(examine_still([begin if begin < number < end else number for number in range(count)], frames))


def test_pictures_without_new_noise_are_frozen() -> None:
    """The very same picture for an hour is frozen, with its begin and its end, whatever the bytes of the files; for
    half an hour it is not, nor are the pictures of a camera that never has noise."""
    (frozen,) = still(20, 35)
    assert (frozen.kind, frozen.image_ids, frozen.evidence) == (Kind.FROZEN, (21, 35), {"images": 15})
    assert (frozen.since, frozen.until) == (BEGIN + 20 * timedelta(minutes=5), BEGIN + 35 * timedelta(minutes=5))
    assert (still(20, 26), still(0, 60)) == ([], [])


def test_nights_and_archives_are_not_silent() -> None:
    """Who takes no images at night is not silent each morning; who took the last years ago is not in use."""
    days = [one for one in captures(14 * 24, every=timedelta(hours=1)) if 7 <= one.captured_at.hour < 19]
    assert found(examine_silence(days, now=days[-1].captured_at + timedelta(hours=2), days=14)) == []
    assert found(examine_silence(days, now=days[-1].captured_at + timedelta(days=900), days=14)) == []


def test_second_night_without_images_is_no_silence() -> None:
    """A camera that only takes images by day is not silent in its second night, nor after it in the first one; a pause
    at noon is none of its habits."""
    by_day = [image for image in captures(3 * 144, every=timedelta(minutes=10)) if 6 <= image.captured_at.hour < 20]
    second_night = [image for image in by_day if image.captured_at < BEGIN + timedelta(days=2)]
    midnight = second_night[-1].captured_at + timedelta(hours=4)
    assert list(examine_silence(by_day, now=by_day[-1].captured_at, days=14)) == []
    assert [one for one in found(examine_silence(second_night, now=midnight, days=14)) if one.until is None] == []
    paused = [image for image in second_night if image.captured_at.day == 1 or not 8 <= image.captured_at.hour < 17]
    silences = found(examine_silence(paused, now=paused[-1].captured_at, days=14))
    assert (2, 7) in [(one.since.day, one.since.hour) for one in silences]
