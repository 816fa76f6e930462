"""The report in a real browser: it loads whole from the disk, answers to keys, and outlines what moved."""

import csv
import io
import shutil
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
    """Nothing is wider than the screen of a phone, and the bar with the collected verdicts is in sight."""
    watched = watch(made, viewport={"width": 390, "height": 844}).open(name)
    assert watched.all("document.documentElement.scrollWidth") <= 390
    bars = watched.all("[...document.querySelectorAll('.bar')].map(bar => bar.getBoundingClientRect().bottom)")
    assert bars == ([844] if name.endswith(("pairs.html", "borderline.html")) else [])


def test_both_pictures_are_in_sight_on_a_phone(made: Path, watch: Watch) -> None:
    """After a verdict, both pictures of the next pair are between the top of a phone and the bar, which is low."""
    watched = watch(made, viewport={"width": 390, "height": 844}).open("cameras/1/pairs.html").press("s")
    box = "(({ top, bottom }) => [top, bottom])(document.querySelector('%s').getBoundingClientRect())"
    top = watched.all(box % ".pair.current .side img")[0]
    bottom = watched.all(box % ".pair.current .side + .side img")[1]
    bar_top, bar_bottom = watched.all(box % ".bar")
    assert (top >= 0, bottom <= bar_top, bar_bottom - bar_top < 130) == (True, True, True)


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
    assert watched.press("?").all("document.querySelector('#help').open")
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
    """The bar collects verdicts and goes on; Python reads the CSV back, with numbers and hashes and without paths."""
    watched = watch(hostile).open("cameras/1/pairs.html")
    watched.page.fill("#by", 'Ada "A", of\tL')
    count = watched.all("document.querySelectorAll('.pair').length")
    watched.page.fill(".pair.current [name=note]", 'a "note", yes')
    watched.press("Tab").page.click(".bar [data-verdict=same]")
    watched.press(*"d" * (count - 1))
    watched.open("cameras/1/pairs.html")
    with watched.page.expect_download() as download:
        watched.page.click("[data-act=download]")
    read = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_bytes().decode(), newline="")))
    assert [row["verdict"] for row in read] == ["same"] + ["different"] * (count - 1)
    assert (read[0]["by"], read[0]["note"]) == ('Ada "A", of\tL', 'a "note", yes')
    with sqlite3.connect(hostile.parent / "indexer.db") as connection:
        stored = {str(number): text for number, text in connection.execute("SELECT id, content_hash FROM images")}
    connection.close()
    assert len(stored) == len(HOSTILE)
    assert all(stored[row[f"image_{side}"]] == row[f"hash_{side}"] for row in read for side in "ab")
    assert {row[f"path_{side}"] for row in read for side in "ab"} == {""}
    assert watched.faults == []


def test_verdicts_of_two_tabs_add_up(made: Path, watch: Watch) -> None:
    """A verdict given in one tab is not lost to another that was open before it."""
    first = watch(made).open("cameras/1/pairs.html")
    second = Watched(first.page.context.new_page(), made).open("borderline.html")
    second.press("ArrowRight")
    keys = [tab.all("document.querySelector('.pair.current').id") for tab in (first, second)]
    first.page.bring_to_front()
    first.press("d")
    first.page.wait_for_function("document.querySelector('#collected').innerText.startsWith('1 of')")
    second.page.bring_to_front()
    second.page.wait_for_function("document.querySelector('#collected').innerText.startsWith('1 of')")  # it is told
    second.press("d")
    first.page.wait_for_function("document.querySelector('#collected').innerText.startsWith('2 of')")
    fresh = Watched(first.page.context.new_page(), made).open("cameras/1/pairs.html")
    assert len(set(keys)) == 2
    stored = "Object.keys(JSON.parse(localStorage[Object.keys(localStorage)[0]]).rows).sort()"
    assert fresh.all(stored) == sorted(keys)


def test_a_held_key_counts_once(made: Path, watch: Watch) -> None:
    """Holding a key down judges one pair and does not go on to judge the next."""
    watched = watch(made).open("cameras/1/pairs.html")
    for _ in range(2):  # the second without a release: the browser says that it repeats
        watched.page.keyboard.down("s")
    watched.page.keyboard.up("s")
    assert watched.page.inner_text("#collected") == "1 of 2 judged"


CURRENT = "[...document.querySelectorAll('.pair')].findIndex(pair => pair.classList.contains('current'))"


def test_a_verdict_goes_on_and_comes_back(made: Path, watch: Watch) -> None:
    """After a verdict the next pair is shown; undo and redo go to any depth, each to the pair that it changes."""
    watched = watch(made).open("cameras/1/pairs.html").press("s", "d")
    said = "[...document.querySelectorAll('.given')].map(badge => badge.textContent)"
    states = [watched.press(key).all(f"[{CURRENT}, {said}]") for key in ("u", "Control+z", "u", "U", "U", "U")]
    both, none, one = ["same", "different"], ["", ""], ["same", ""]
    assert states == [[1, one], [0, none], [0, none], [0, one], [1, both], [1, both]]
    assert watched.page.inner_text("#collected") == "2 of 2 judged"
    assert watched.faults == []


def test_judged_pairs_are_hidden(made: Path, watch: Watch) -> None:
    """Who hides judged pairs is not shown them again."""
    watched = watch(made).open("cameras/1/pairs.html").press("s", "ArrowLeft")
    assert watched.all(CURRENT) == 0
    watched.page.check("#hide")
    assert [watched.all(CURRENT), watched.press("ArrowLeft").all(CURRENT)] == [1, 1]


def test_a_click_enlarges(made: Path, watch: Watch) -> None:
    """A click enlarges a picture, z both; arrows and plus move and enlarge both alike and leave the pair as it is."""
    watched = watch(made).open("cameras/1/pairs.html")
    shown = "[...document.querySelectorAll('#zoom[open] .pane')].map(pane => pane.hidden)"
    watched.page.click(".pair.current .side:nth-child(2) .over")
    assert watched.all(shown) == [True, False]
    assert [watched.press("b").all(shown), watched.press("b").all(shown)] == [[False, True], [True, False]]
    assert watched.press("Escape", "z").all(shown) == [False, False]
    moved = watched.press("+", "ArrowRight").all(
        "[...document.querySelectorAll('#zoom img')].map(image => image.style.transform)"
    )
    assert moved[0] == moved[1]
    assert "scale(1.5)" in moved[0]
    assert watched.press("Escape").all(f"[{shown}, {CURRENT}]") == [[], 0]
    assert watched.faults == []


@pytest.mark.parametrize("kind", ["made", "hostile"])
def test_one_file_works_alone(request: pytest.FixtureRequest, watch: Watch, tmp_path: Path, kind: str) -> None:
    """The report as one file shows its pictures, answers to keys and fits a phone, with nothing beside it."""
    shutil.copy(request.getfixturevalue(kind).parent / "one.html", tmp_path)
    watched = watch(tmp_path, viewport={"width": 390, "height": 844}).open("one.html")
    assert watched.all(BROKEN) == []
    assert watched.all("document.images.length") > 2
    count = watched.all("document.querySelectorAll('.pair').length")
    watched.press("s", "z")
    assert (
        watched.all("[document.querySelector('#zoom').open, document.documentElement.scrollWidth <= 390]") == [True] * 2
    )
    assert watched.page.inner_text("#collected") == f"1 of {count} judged"
    assert watched.faults == []


def test_days_are_headings(made: Path, watch: Watch) -> None:
    """A film strip has a heading for each day, and the time of each image below it."""
    watched = watch(made).open("cameras/1/index.html")
    assert watched.page.locator(".day").all_inner_texts() == ["Sunday 1 March 2026"]
    assert watched.page.locator(".family h3").first.inner_text() == "12:00:00"
