"""Folders of two digits below a date through a whole ingest: two stations are never one camera without a question."""

import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from indexer.domain.naming.hour_folders import NameTime
from indexer.domain.naming.known_files import KnownSibling
from indexer.store import camera_sources
from indexer.store.database import Session
from indexer.workflows.ingest.surroundings import KnownSurroundings
from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.workflows.ingest.test_held_cameras import cameras, put

DAY_S = datetime(2024, 5, 1, tzinfo=UTC).timestamp()


def put_at(index: Index, hours: dict[str, float]) -> None:
    """Files of a day that all differ, with the hour in which each was written."""
    put(index, *hours)
    for file, hour in hours.items():
        os.utime(index.folder / file, (DAY_S + 3600 * hour,) * 2)


@on_sqlite
@pytest.mark.parametrize(
    ("channels", "at_once"), [(("00", "01"), True), (("01", "02"), True), (("02", "03"), True), (("02", "03"), False)]
)
def test_channels_that_were_copied_one_after_the_other(index: Index, channels: tuple[str, ...], at_once: bool) -> None:
    """Channels that were copied within an hour are not taken for hours."""
    files = [f"c/2024-05-01/{channel}/IMG_{n}.png" for channel in channels for n in range(2)]
    put_at(index, {file: 8.2 + n / 5 for n, file in enumerate(files)})
    for channel in channels if not at_once else [""]:
        index.ingest(index.folder / "c/2024-05-01" / channel)
    found = cameras(index)
    assert len(found) < len(files) or found[files[0]] == found[files[1]] != found[files[2]] == found[files[3]]


@on_sqlite
@pytest.mark.parametrize("name", ["IMG_{n}.png", "{n}-30.png"])
@pytest.mark.parametrize("is_alone", [True, False])
def test_channels_whose_first_files_look_like_hours(index: Index, name: str, is_alone: bool) -> None:
    """Later files of two folders that were written at the same times show channels, also if each comes alone."""
    written = [("02", 8.0), ("03", 9.5), ("02", 12.0), ("03", 11.0), ("02", 10.5)]
    files = [f"c/2024-05-01/{folder}/{name.format(n=n)}" for n, (folder, _) in enumerate(written)]
    reports = []
    for file, (_, hour) in zip(files, written, strict=True):
        put_at(index, {file: hour})
        reports.append(index.ingest(index.folder / file if is_alone else index.folder))
    found = cameras(index)
    assert found[files[0]] == found[files[1]] == "c"
    assert (found[files[3]], found[files[4]]) == ("c/03", "c/02")
    assert reports[3].names.reread_folders == (str(index.folder / "c"),)


@on_sqlite
@pytest.mark.parametrize("is_first", [True, False])
def test_a_channel_beside_hours_of_a_zone(index: Index, is_first: bool) -> None:
    """A folder whose names contradict the zone of the other folders is a camera, and later hours are still hours."""
    hours = [
        f"c/2024-05-01/{hour}/20240501T{hour - 2:02}{minute}00Z.png" for hour in range(12, 16) for minute in (10, 50)
    ]
    channel = [f"c/2024-05-01/02/20240501T18{minute}00Z.png" for minute in (10, 50)]
    put(index, *hours[:-2], *channel)
    assert index.ingest().names.held == ()
    put(index, hours[-2])
    index.ingest(index.folder if is_first else index.folder / "c/2024-05-01/15")
    put(index, hours[-1])
    index.ingest()
    found = cameras(index)
    assert {found[file] for file in hours} == {"c"}
    assert {found[file] for file in channel} == {"c/02"}


@on_sqlite
@pytest.mark.parametrize("below", [".", "c/2024-05-02"])
def test_a_channel_that_comes_after_hours_of_a_zone(index: Index, below: str) -> None:
    """A folder that comes later is a camera if its names contradict the zone in which known folders are hours."""
    hours = [f"c/2024-05-01/{hour}/20240501T{hour - 2:02}3000Z.png" for hour in range(12, 16)]
    put(index, *hours)
    index.ingest()
    later = [f"c/2024-05-02/{hour}/20240502T{hour - 2:02}3000Z.png" for hour in (12, 14)]
    channel = [f"c/2024-05-02/02/20240502T18{minute}00Z.png" for minute in (10, 50)]
    put(index, *later, *channel)
    index.ingest(index.folder / below / "02" if below != "." else index.folder)
    index.ingest()
    assert cameras(index) == dict.fromkeys([*hours, *later], "c") | dict.fromkeys(channel, "c/02")


@on_sqlite
def test_a_later_folder_that_contradicts_few_known_hours(index: Index) -> None:
    """A folder whose times contradict the zone of known hours is a camera, also if these alone would be too few."""
    known = [f"c/2024-05-01/{hour}/20240501T{hour - 2:02}{minute}00Z.png" for hour in (12, 14) for minute in (10, 50)]
    channel = [f"c/2024-05-01/02/20240501T{hour}1000Z.png" for hour in (18, 20)]
    for file in [*known, *channel]:
        put(index, file)
        index.ingest()
    assert cameras(index) == dict.fromkeys(known, "c") | dict.fromkeys(channel, "c/02")


@on_sqlite
def test_known_files_of_a_folder_that_is_a_channel(index: Index) -> None:
    """An ingest says that known files of a folder are of the camera of its hours, if it finds that it is a channel."""
    put(index, "c/2024-05-01/02/20240501T181000Z.png")
    index.ingest()
    hours = [f"c/2024-05-01/{hour}/20240501T{hour - 2:02}1000Z.png" for hour in (12, 13, 14, 15)]
    put(index, *hours)
    assert index.ingest().names.reread_folders == (str(index.folder / "c"),)
    index.ingest(is_new_rules=True)
    assert cameras(index) == dict.fromkeys(hours, "c") | {"c/2024-05-01/02/20240501T181000Z.png": "c/02"}
    put(index, "c/2024-05-01/16/20240501T141000Z.png")
    assert index.ingest().names.reread_folders == ()


@on_sqlite
@pytest.mark.parametrize("days", [("03-30", "03-31", "04-01"), ("10-26", "10-27", "10-28")])
def test_hours_that_come_one_by_one_while_clocks_change(index: Index, days: tuple[str, ...]) -> None:
    """Folders of local hours stay hours, each as it comes, when clocks change, where names have times in UTC."""
    files = []
    for day in days:
        for hour in (0, 1, 3, 9, 10, 11):
            moment = datetime.fromisoformat(f"2024-{day}T{hour:02}:20:00").replace(tzinfo=ZoneInfo("Europe/Berlin"))
            files.append(f"c/2024-{day}/{hour:02}/{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.png")
    put(index, *files[:6])
    index.ingest()
    for file in files[6:]:
        put(index, file)
        index.ingest(index.folder / file)
    assert cameras(index) == dict.fromkeys(files, "c")


@on_sqlite
def test_the_last_images_show_what_folders_are(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What known folders of two digits are is read from some of the last images of a camera, not from all of them."""
    put(index, *(f"c/2024-05-01/{hour}/20240501_{hour}3000.png" for hour in (12, 13)))
    index.ingest()
    list_recent, limits = camera_sources.list_recent_files, list[int]()

    def list_recorded(session: Session, camera: str, *, limit: int) -> list[KnownSibling]:
        limits.append(limit)
        return list_recent(session, camera, limit=limit)

    monkeypatch.setattr(camera_sources, "list_recent_files", list_recorded)
    monkeypatch.delattr(camera_sources, "iter_images")
    surroundings = KnownSurroundings(index.database)
    kinds = frozenset({NameTime.LOCAL, NameTime.ZONED})
    known = surroundings.known_numbers(str(index.folder / "c"), in_names=True, in_folders=kinds)
    assert known.are_channels == {NameTime.LOCAL: False}
    assert known.are_events is None
    assert limits
    assert max(limits) <= 10_000
