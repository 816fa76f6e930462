"""Columns: times come back aware and equal, paths byte for byte, and no two paths meet in one text."""

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select
from sqlalchemy.exc import StatementError

from indexer.store.columns import PathText, UtcDateTime, path_from_text, stored_forms

METADATA = MetaData()
THINGS = Table("things", METADATA, Column("time", UtcDateTime), Column("path", PathText))
ENGINE = create_engine("sqlite://")
METADATA.create_all(ENGINE)

MINUTES = st.integers(-23 * 60 - 59, 23 * 60 + 59)
ZONES = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), MINUTES)
TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=ZONES)
NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name)
PATHS = NAMES.map(lambda name: os.fsdecode(b"/" + name))


def there_and_back(**values: object) -> tuple[object, ...]:
    with ENGINE.begin() as connection:
        connection.execute(THINGS.delete())
        connection.execute(insert(THINGS).values(**values))
        return tuple(connection.execute(select(*(THINGS.c[name] for name in values))).one())


def stored(path: str) -> object:
    """The text that the database holds for a path."""
    there_and_back(path=path)
    with ENGINE.connect() as connection:
        return connection.exec_driver_sql("SELECT path FROM things").scalar_one()


@given(TIMES)
@example(datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))))
def test_times_come_back(time: datetime) -> None:
    """A time of any zone comes back as the same moment, in UTC, to the microsecond."""
    (back,) = there_and_back(time=time)
    assert isinstance(back, datetime)
    assert (back, back.tzinfo) == (time, UTC)


@given(st.datetimes())
def test_naive_times_are_refused(time: datetime) -> None:
    """A time without a zone is refused, not guessed."""
    with pytest.raises(StatementError, match="has no zone"):
        there_and_back(time=time)


def test_relative_odd_paths_are_refused() -> None:
    """A path that needs a URI and is not absolute is refused: a URI could not give it back."""
    with pytest.raises(StatementError, match="is not absolute"):
        there_and_back(path=os.fsdecode(b"caf\xe9.jpg"))


def test_nothing_stays_nothing() -> None:
    """NULL comes back as None in both columns."""
    assert there_and_back(time=None, path=None) == (None, None)


@given(PATHS)
@example(os.fsdecode(b"/caf\xe9 %25?#;\n.jpg"))
@example(os.fsdecode(b"//a//./\xe9/../b/"))
@example("/file:///a%20b")
@example("//host/a")
def test_paths_come_back(path: str) -> None:
    """Any absolute path comes back as it was, whatever its bytes are."""
    assert there_and_back(path=path) == (path,)


@given(PATHS, PATHS)
@example(os.fsdecode(b"/\xe9"), "/%E9")
@example(os.fsdecode(b"/\xe9"), "/é")
def test_paths_do_not_meet(one: str, other: str) -> None:
    """Two paths are stored as one text only if they are one path."""
    assert (stored(one) == stored(other)) == (one == other)


@given(PATHS)
def test_valid_paths_are_stored_as_they_are(path: str) -> None:
    """A path that is valid UTF-8 is stored as it is; another as a file URI in plain ASCII that means it."""
    text = str(stored(path))
    plain = all(not "\udc80" <= sign <= "\udcff" for sign in path)
    assert text == path if plain else text.startswith("file:///") and text.isascii()
    assert path_from_text(text) == path


@given(PATHS.map(lambda path: path.rstrip("/")), PATHS)
@example("", "/é")
@example("", os.fsdecode(b"/\xe9"))
def test_paths_below_a_folder_begin_with_a_form_of_it(folder: str, name: str) -> None:
    """What is stored of a path below a folder begins with one of the folder's stored forms."""
    folder = os.path.normpath(folder) if folder else ""
    text = str(stored(folder + os.path.normpath(name)))
    assert any(text.startswith(f"{form}/") for form in stored_forms(folder))
