"""Shortened paths: they fit, end with the file name, and stay different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.cli.render.short_paths import CUT, choose_shortening, cut_text
from indexer.cli.word_wrap import cell_count

LONG = "/srv/archive/2024/parking-north/2024-05-01/parking-north_2024-05-01_12-30-45.jpg"
PARTS = st.text(st.sampled_from("ab0-\u8def"), min_size=1, max_size=30)
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=5).map("/".join), max_size=8)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, LONG),
        (79, f"{CUT}/archive/2024/parking-north/2024-05-01/parking-north_2024-05-01_12-30-45.jpg"),
        (50, f"{CUT}/2024-05-01/parking-north_2024-05-01_12-30-45.jpg"),
        (39, f"{CUT}/parking-north_2024-05-01_12-30-45.jpg"),
        (30, f"parking-n{CUT}4-05-01_12-30-45.jpg"),
    ],
)
def test_the_file_name_is_kept(width: int, shown: str) -> None:
    """As many folders above the file as fit are shown; of a name that is too long, its end."""
    shorten = choose_shortening(lambda: [LONG], width)
    assert shorten is not None
    assert shorten(LONG) == shown


def test_equal_names_in_two_folders_stay_apart() -> None:
    """Where the ends of two paths are the same, their beginnings are shown."""
    paths = [f"/{camera}/a folder with a long name/frames/0001.jpg" for camera in ("north", "yard")]
    shorten = choose_shortening(lambda: paths, 30)
    assert shorten is not None
    assert list(map(shorten, paths)) == [f"/north/a folder with{CUT}/0001.jpg", f"/yard/a folder with {CUT}/0001.jpg"]


def test_paths_that_would_become_equal_are_not_shortened() -> None:
    """If no way keeps two paths different, there is none."""
    paths = [f"/a folder with a long name/{camera}/a folder with a long name/0001.jpg" for camera in ("a", "b")]
    assert choose_shortening(lambda: paths, 20) is None


@given(paths=PATHS, width=st.integers(8, 60))
def test_every_shortening_fits_and_keeps_paths_apart(paths: list[str], width: int) -> None:
    """No shown path is wider than its column, different paths are shown differently, and the ends are real ends."""
    shorten = choose_shortening(lambda: paths, width)
    if shorten is None:
        return
    shown = {path: shorten(path) for path in paths}
    assert len(set(shown.values())) == len(shown)
    assert [text for text in shown.values() if cell_count(text) > width] == []
    assert [path for path, text in shown.items() if not path.endswith(text.rpartition(CUT)[2])] == []


@pytest.mark.parametrize(("width", "shown"), [(12, "a b \u8def \u8def"), (8, f"a b \u8def{CUT}"), (4, f"a b{CUT}")])
def test_texts_are_cut_at_their_end(width: int, shown: str) -> None:
    """A sign that is cut off shows that there is more; wide signs count as two cells."""
    assert cut_text("a b \u8def \u8def", width) == shown
