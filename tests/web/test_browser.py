"""The report in a real browser: it loads whole from the disk, answers to keys, and outlines what moved."""

import csv
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.report_pages import BOX_AFTER, BOX_BEFORE, HOSTILE, Watched, make_report, pages

Watch = Callable[..., Watched]
BROKEN = "[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"


def test_every_page_loads(made: Path, watch: Watch) -> None:
    """No page complains, asks for anything outside the folder, or shows a picture that is not there."""
    watched = watch(made)
    assert pages(made) == ["borderline.html", "cameras/1/index.html", "cameras/1/pairs.html", "index.html"]
    for name in pages(made):
        watched.open(name).page.wait_for_load_state("networkidle")
        assert watched.all(BROKEN) == []
    assert watched.faults == []


def test_sample_frames_load(shared_data: Path, tmp_path: Path, watch: Watch) -> None:
    """The same holds for all real frames."""
    watched = watch(make_report(tmp_path / "indexer.db", shared_data / "frames", tmp_path / "out", sweep=False))
    assert len(pages(watched.folder)) > 10
    for name in pages(watched.folder):
        watched.open(name).page.wait_for_load_state("networkidle")
        assert watched.all(BROKEN) == []
    assert watched.faults == []


@pytest.mark.parametrize("name", ["index.html", "cameras/1/index.html", "cameras/1/pairs.html", "borderline.html"])
def test_fits_a_phone(made: Path, watch: Watch, name: str) -> None:
    """Nothing is wider than the screen of a phone."""
    watched = watch(made, viewport={"width": 390, "height": 844}).open(name)
    assert watched.all("document.documentElement.scrollWidth") <= 390


def test_dark_is_dark(made: Path, watch: Watch) -> None:
    """Who prefers the dark gets light text on a dark page, and the reverse."""
    shades = [
        watch(made, color_scheme=scheme)
        .open("index.html")
        .all("['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name].match(/\\d+/)[0] > 127)")
        for scheme in ("light", "dark")
    ]
    assert shades == [[True, False], [False, True]]


def test_keys_of_the_strip(made: Path, watch: Watch) -> None:
    """Up and down move between kept images, space folds, right moves among duplicates, enter opens the pair."""
    watched = watch(made).open("cameras/1/index.html")
    current = "document.querySelector('.family.current')?.id"
    opened = "document.querySelector('details').open"
    heads = watched.all("[...document.querySelectorAll('.family')].map(family => family.id)")
    assert len(heads) == 3
    seen = [watched.press(key).all(current) for key in ("ArrowDown", "ArrowDown", "ArrowUp")]
    assert seen == [heads[0], heads[1], heads[0]]
    assert [watched.press(" ").all(opened) for _ in range(3)] == [True, False, True]
    link = watched.press("ArrowRight", "ArrowRight").all("document.activeElement.href")
    watched.press("Enter").page.wait_for_url("**/pairs.html#pair-*")
    assert watched.page.url == link
    assert watched.all("document.querySelector('.pair.current').id") == link.rpartition("#")[2]


def test_keys_of_pairs(made: Path, watch: Watch) -> None:
    """Right and left move between pairs, one of which is shown; o hides outlines; ? shows the keys."""
    watched = watch(made).open("cameras/1/pairs.html")
    shown = "[...document.querySelectorAll('.pair')].findIndex(pair => pair.offsetHeight > 0)"
    assert [watched.all(shown), *(watched.press(f"Arrow{way}").all(shown) for way in ("Right", "Left"))] == [0, 1, 0]
    assert watched.press("o").all("document.body.className") == "no-outlines"
    assert watched.press("?").all("document.querySelector('dialog').open")
    assert watched.faults == []


def test_pairs_without_script(made: Path, watch: Watch) -> None:
    """Without JavaScript all pairs are listed."""
    watched = watch(made, java_script_enabled=False).open("cameras/1/pairs.html")
    assert [pair.is_visible() for pair in watched.page.locator(".pair").all()] == [True, True]


def test_pair_shows_two_pictures(made: Path, watch: Watch) -> None:
    """A pair page shows both pictures and their difference."""
    watched = watch(made).open("cameras/1/pairs.html")
    watched.page.wait_for_load_state("networkidle")
    assert (
        watched.all("[...document.querySelectorAll('.pair.current img')].map(image => image.naturalWidth)") == [320] * 3
    )


def test_outlines_lie_where_the_box_was(made: Path, watch: Watch) -> None:
    """Where a box moved, both places are outlined on both pictures, within 2 % of the frame."""
    watched = watch(made).open("borderline.html")
    script = """() => [...document.querySelectorAll('.pair')].map(pair =>
        [...pair.querySelectorAll('polygon.counts')].map(outline => {
            const xs = outline.getAttribute('points').split(' ').map(point => point.split(',')[0] / 1000);
            const ys = outline.getAttribute('points').split(' ').map(point => point.split(',')[1] / 1000);
            return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
        }))"""
    outlines_of_pairs = watched.all(script)
    found = max(outlines_of_pairs, key=len)
    for box in (BOX_BEFORE, BOX_AFTER):
        left, top, width, height = box
        truth = [left / 640, top / 480, (left + width) / 640, (top + height) / 480]
        assert min(max(abs(a - b) for a, b in zip(one, truth, strict=True)) for one in found) < 0.02, (found, truth)
    for _ in range(outlines_of_pairs.index(found)):
        watched.page.keyboard.press("ArrowRight")
    drawn = watched.all(
        "[...document.querySelectorAll('.pair.current .outlines')].map(one => one.getBoundingClientRect().width > 200)"
    )
    assert drawn == [True, True]


def test_hostile_names_are_inert(hostile: Path, watch: Watch) -> None:
    """A name is shown as text and does nothing: no dialog, no element of its own, no other address."""
    watched = watch(hostile)
    for name in pages(hostile):
        watched.open(name).page.wait_for_load_state("networkidle")
        watched.page.mouse.move(300, 300)
        assert (
            watched.all("document.querySelectorAll('body script, b > *, img[src=x], [onmouseover], [onerror]').length")
            == 0
        )
        assert watched.all("document.scripts.length") == 1
    assert watched.faults == []
    text = watched.open("cameras/1/pairs.html").all(
        "[...document.querySelectorAll('.path')].map(one => one.textContent).join()"
    )
    shown = (
        "<script>alert(1)<!--",
        "onerror=alert(1)>",
        "line\\nend, and\\rreturn",
        "\\u202egnp",
        "caf\\udce9",
        "{{ 7 * 7 }}",
    )
    assert [one for one in shown if one not in text] == []
    assert "<script>alert(2)<b>" in watched.open("index.html").page.inner_text("body")


def test_verdicts_come_as_csv(hostile: Path, watch: Watch, tmp_path: Path) -> None:
    """The buttons collect verdicts over pages; Python reads the CSV back, paths as the database stores them."""
    watched = watch(hostile).open("cameras/1/pairs.html")
    watched.page.fill("#by", 'Ada "A", of\tL')
    count = watched.all("document.querySelectorAll('.pair').length")
    watched.page.fill(".pair.current [name=note]", 'a "note", yes')
    watched.press("Tab").page.click(".pair.current [data-verdict=same]")
    for _ in range(count - 1):
        watched.page.click("[data-act=after]")
        watched.press("d")
    watched.open("cameras/1/pairs.html")
    with watched.page.expect_download() as download:
        watched.page.click("[data-act=download]")
    read = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_bytes().decode(), newline="")))
    assert [row["verdict"] for row in read] == ["same"] + ["different"] * (count - 1)
    assert (read[0]["by"], read[0]["note"]) == ('Ada "A", of\tL', 'a "note", yes')
    with sqlite3.connect(hostile.parent / "indexer.db") as connection:
        stored = {str(number): path for number, path in connection.execute("SELECT id, path FROM images")}
    connection.close()
    assert len(stored) == len(HOSTILE)
    assert all(stored[row[f"image_{side}"]] == row[f"path_{side}"] for row in read for side in "ab")
    assert watched.faults == []


def test_verdicts_of_two_tabs_add_up(made: Path, watch: Watch) -> None:
    """A verdict given in one tab is not lost to another that was open before it."""
    first = watch(made).open("cameras/1/pairs.html")
    second = Watched(first.page.context.new_page(), made).open("borderline.html")
    keys = [tab.all("document.querySelector('.pair.current').id") for tab in (first, second)]
    second.page.evaluate("document.querySelectorAll('.pair').length > 1") and second.press("ArrowRight")
    first.page.bring_to_front()
    first.press("d")
    first.page.wait_for_function("document.querySelector('#collected').innerText.startsWith('1 ')")
    second.page.bring_to_front()
    second.page.wait_for_function("document.querySelector('#collected').innerText.startsWith('1 ')")  # it is told
    second.press("d")
    first.page.wait_for_function("document.querySelector('#collected').innerText.startsWith('2 ')")
    fresh = Watched(first.page.context.new_page(), made).open("cameras/1/pairs.html")
    expected = len({keys[0], second.all("document.querySelector('.pair.current').id")})
    assert expected == 2
    assert fresh.page.inner_text("#collected") == "2 verdicts collected."


def test_a_held_key_counts_once(made: Path, watch: Watch) -> None:
    """Holding a key down gives one verdict and does not take it back."""
    watched = watch(made).open("cameras/1/pairs.html")
    for _ in range(2):  # the second without a release: the browser says that it repeats
        watched.page.keyboard.down("s")
    watched.page.keyboard.up("s")
    assert watched.page.inner_text("#collected") == "1 verdict collected."
