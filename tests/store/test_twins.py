"""Twins: the view has exactly the pairs of two forms of name within a second, and finds those of one image at once."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from indexer.domain.images import ImageState
from indexer.domain.names import name_image
from indexer.store import images
from indexer.store.database import Database
from indexer.store.twins import Twin, list_twins
from tests.support.databases import SQLITE, Maker, execute, on_postgresql, rows

START = datetime(2021, 3, 26, 23, 59, 58, tzinfo=UTC)
fresh = count()

captures = st.lists(
    st.tuples(
        st.sampled_from(["c20", "c21"]),
        st.booleans(),
        st.one_of(st.integers(0, 4_000_000), st.sampled_from([0, 999_999, 1_000_000, 1_000_001, 2_000_000])),
    ),
    max_size=12,
)
"""Camera, whether it is named by the epoch, and microseconds from the start."""


def file_of(at: datetime, *, epoch: bool, number: int, camera: str = "c20") -> str:
    """A file name of one of the two forms, with a folder of its own; only the time in the database is exact."""
    ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return f"/frames/{number}/{camera}{f'-{ms}' if epoch else f'{at:_%Y_%m_%d__%H_%M_%S}'}.png"


def pairs(database: Database) -> list[tuple[int, int, float]]:
    """What the view holds."""
    with database.read() as session:
        rows = session.execute(text("SELECT image_a_id, image_b_id, apart_s FROM audit_twins ORDER BY 1, 2"))
        return [(a, b, apart) for a, b, apart in rows]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(captures=captures)
def test_twins_are_those_of_a_brute_force(
    database: Database, add: Callable[..., int], captures: list[tuple[str, bool, int]]
) -> None:
    """To the microsecond, across midnight, of one camera, of two forms of name, each pair once, nothing else."""
    world = next(fresh)  # cameras of its own: what earlier examples added stays
    times = [START + timedelta(microseconds=after_us) for _, _, after_us in captures]
    ids = [
        add(file_of(at, epoch=epoch, number=next(fresh), camera=camera), camera=f"{camera}-{world}", at=at)
        for (camera, epoch, _), at in zip(captures, times, strict=True)
    ]
    everyone = [(image_id, *capture) for image_id, capture in zip(ids, captures, strict=True)]
    expected = sorted(
        (a, b, abs(b_us - a_us) / 1_000_000)
        for a, camera_a, epoch_a, a_us in everyone
        for b, camera_b, epoch_b, b_us in everyone
        if camera_a == camera_b and epoch_a and not epoch_b and abs(b_us - a_us) <= 1_000_000
    )
    assert [pair for pair in pairs(database) if pair[0] in ids] == expected


def test_times_from_elsewhere_make_no_twins(database: Database, add: Callable[..., int]) -> None:
    """A time that was not read from the name, or none, labels nothing; one read by a pattern does."""
    add(file_of(START, epoch=True, number=0), at=START)
    for number, source in enumerate(["exif", "mtime", "pattern"]):
        add(f"/frames/{number}.png", at=START, source=source)
    add("/frames/9.png", at=None, source=None)
    assert pairs(database) == [(1, 4, 0.0)]


def test_twins_of_one_image(database: Database, add: Callable[..., int]) -> None:
    """Either way round, the nearest first, with where each is; its path is as the disk has it."""
    odd = "/frames/\udcff/c20_2021_03_26__23_59_59.png"
    one = add(file_of(START, epoch=True, number=0), at=START)
    near, far = add(file_of(START, epoch=False, number=1), at=START), add(odd, at=START + timedelta(seconds=1))
    with database.write() as session:
        images.set_state(session, [far], ImageState.REMOVED)
    with database.read() as session:
        assert list_twins(session, one) == (
            Twin(near, file_of(START, epoch=False, number=1), ImageState.READY, 0.0),
            Twin(far, odd, ImageState.REMOVED, 1.0),
        )
        assert [twin.image_id for twin in list_twins(session, far)] == [one]


@pytest.mark.parametrize("known", ["image_a_id = 1", "image_b_id = 1"])
def test_the_twins_of_one_image_are_looked_up(maker: Maker, plan: Callable[..., list[str]], known: str) -> None:
    """Whichever of the two an image is, its twins are found by its number, and each of them by its own."""
    steps = plan(f"SELECT * FROM audit_twins WHERE {known}")
    assert [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step] == []
    # A server chooses among indexes by what it knows of the rows: here there are none.
    assert maker.kind != SQLITE or any("twins" in step or "twin USING" in step for step in steps)


CHANGES = {
    "another time": "UPDATE images SET captured_at = '2021-03-26 23:59:50.000000' WHERE id = {image}",
    "no time": "UPDATE images SET captured_at = NULL WHERE id = {image}",
    "a time from elsewhere": "UPDATE images SET captured_at_source = 'exif' WHERE id = {image}",
    "another camera": "UPDATE images SET camera_id = (SELECT MAX(id) FROM cameras) WHERE id = {image}",
    "another name": "UPDATE images SET path = '/frames/1616803198000-1616803198500.png' WHERE id = {image}",
    "another folder": "UPDATE images SET path = replace(path, '/frames/', '/moved/') WHERE id = {image}",
    "gone": "UPDATE images SET state = 'missing' WHERE id = {image}",
    "forgotten": "DELETE FROM images WHERE id = {image}",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("image", [1, 2])
def test_twins_follow_every_change(database: Database, add: Callable[..., int], change: str, image: int) -> None:
    """Whatever writes, the twins are those of the images as they are then; and as they were, once all is undone."""
    add(file_of(START, epoch=True, number=0), at=START)
    add(file_of(START, epoch=False, number=1), at=START + timedelta(seconds=0.5))
    add("/frames/elsewhere.png", camera="c99", at=None)
    columns = "path, camera_id, captured_at, captured_at_source, state"
    before = rows(database, f"SELECT {columns} FROM images WHERE id = ?", image)[0]
    with database.write() as session:
        session.execute(text(CHANGES[change].format(image=image)))
    is_one_epoch = change == "another name" and image == 1
    stay = change in ("another folder", "gone") or is_one_epoch
    assert pairs(database) == ([(1, 2, 0.5)] if stay else [])
    if change != "forgotten":
        assigned = ", ".join(f"{name} = ?" for name in columns.split(", "))
        execute(database, f"UPDATE images SET {assigned} WHERE id = ?", *before, image)
        assert pairs(database) == [(1, 2, 0.5)]


def test_twins_of_one_statement(database: Database, add: Callable[..., int]) -> None:
    """Images that one statement changes are paired once, with what each of them became."""
    ids = [add(file_of(START, epoch=epoch, number=number), at=None) for number, epoch in enumerate([True, False, True])]
    execute(database, "UPDATE images SET captured_at = ?", "2021-03-26 23:59:58.000000")
    assert pairs(database) == [(ids[0], ids[1], 0.0), (ids[2], ids[1], 0.0)]
    copied = (
        "root, camera_id, camera_source, captured_at, captured_at_source, file_size, mtime_ns, run_id, content_hash"
    )
    execute(
        database,
        f"INSERT INTO images (path, state, {copied}) SELECT replace(path, 'frames', 'copies'), 'missing', {copied} "
        "FROM images ORDER BY id",
    )
    assert len(pairs(database)) == 4 * 2
    execute(database, "UPDATE images SET captured_at_source = 'exif'")
    assert pairs(database) == []


@on_postgresql
def test_pairing_looks_at_neighbours_in_time_alone(database: Database, add: Callable[..., int]) -> None:
    """A server that planned while the table was empty looks each image of a large camera up by its time, too."""
    add(file_of(START, epoch=True, number=0), at=START)
    copied = "root, camera_id, camera_source, captured_at_source, file_size, mtime_ns, run_id, content_hash"
    with database.write() as session:
        for first, last in [*((number, number) for number in range(1, 21)), (21, 1000)]:
            session.execute(
                text(
                    f"INSERT INTO images (path, state, captured_at, {copied}) SELECT '/many/' || number, 'missing', "
                    f"captured_at + number * INTERVAL '1 minute', {copied} "
                    f"FROM images, generate_series({first}, {last}) AS number WHERE id = 1"
                )
            )
    database.close()  # at the end of its session a server tells what it counted
    counts = "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relname = 'images'"
    end_s = time.monotonic() + 30.0
    while (scans := dict(rows(database, counts))["ix_images_camera_id_captured_at"]) < 1000:
        assert time.monotonic() < end_s, f"looked up by time: {scans}"
        time.sleep(0.05)


def test_twins_of_the_original_names(database: Database, add: Callable[..., int], shared_data: Path) -> None:
    """Among the 1 080 names of the original data set 32 pairs are twins, all of camera c20."""
    for line in (shared_data / "original_file_names.txt").read_text().split():
        naming = name_image(f"/frames/{line}", root="/frames", mtime_ns=0)
        add(f"/frames/{line}", camera=naming.camera, at=naming.captured_at)
    with database.read() as session:
        found = session.execute(text("SELECT camera, COUNT(*), MAX(apart_s) FROM audit_twins GROUP BY camera")).all()
    assert [tuple(row) for row in found] == [("c20", 32, 0.999)]
