"""The review page in a real browser: keys, several people, a server that goes away, and drawing."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page, Route
from sqlalchemy import text

from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.domain.descriptions import Limits
from indexer.execution import serial
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.workflows.compare.compare import compare
from indexer.workflows.context import ComparisonContext
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.ingest import ingest
from indexer.workflows.review.verdict import import_verdicts, list_verdicts, set_verdict
from indexer.workflows.runs.run import record_run
from tests.support.findings import SINCE, add_finding
from tests.support.report_pages import frame
from tests.support.review_pages import served_session
from tests.support.review_servers import Served

SMALL, LARGE = (200, 180, 20, 16), (400, 300, 60, 46)


def now() -> datetime:
    """The time: leases and pages of other people depend on none."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An index of eight frames, as bytes: a place, the same again with specks, and with boxes in it."""
    folder = tmp_path_factory.mktemp("review")
    (folder / "frames").mkdir()
    for minute in range(8):
        boxes = [(100 + 40 * minute, 200, 10 + 2 * minute, 8)] + ([LARGE] if minute > 5 else [])
        (folder / "frames" / f"gate_2026_03_01__12_0{minute}_00.png").write_bytes(frame(*boxes, stamp=minute))
    database = open_database(str(folder / "indexer.db"), create=True)
    with serial() as executor:
        found = discover([str(folder / "frames")])
        ingest(database, found, executor=executor, limits=Limits(), clock=now)
        compare(ComparisonContext(database, executor, Limits(), now))
    database.close()
    return (folder / "indexer.db").read_bytes()


@dataclass
class Desk:
    """An index with its server, and the browsers of people who look at its page."""

    database: Database
    folder: Path
    browser: Browser
    stack: ExitStack
    faults: list[str] = field(default_factory=list)
    served: Served | None = None
    server: ExitStack = field(default_factory=ExitStack)

    def start(self, **options: Any) -> None:
        """Starts the server; again on the port that it had."""
        port = 0 if self.served is None else self.served.gate.port
        session = served_session(self.database, now, self.folder, port=port, **options)
        _, self.served = self.server.enter_context(session)

    def stop(self) -> None:
        """Ends the server."""
        self.server.close()

    def open(self, path: str = "/", **how: Any) -> Page:
        """The page in a browser of its own, as soon as it can be used."""
        context = self.browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | how))
        self.stack.callback(context.close)
        page = context.new_page()
        page.on("console", lambda said: self.faults.append(said.text))
        page.on("pageerror", lambda problem: self.faults.append(str(problem)))
        assert self.served is not None
        inside = f"http://{self.served.host}/"
        page.on("request", lambda asked: asked.url.startswith((inside, "data:,")) or self.faults.append(asked.url))
        page.goto(self.served.gate.address)
        page.wait_for_selector("body[data-ready]")
        if path != "/":
            page.goto(f"{inside}{path[1:]}")
        return page

    @property
    def held(self) -> list[tuple[str, str, str | None]]:
        """The verdicts that hold: the word, who, and the note."""
        return [(one.verdict, one.by, one.note) for one in list_verdicts(self.database).verdicts]


@pytest.fixture
def desk(compared: bytes, browser: Browser, tmp_path: Path) -> Iterator[Desk]:
    """An index, with the server started, and a person named Ada at it."""
    (tmp_path / "indexer.db").write_bytes(compared)
    database = open_database(str(tmp_path / "indexer.db"))
    with ExitStack() as stack:
        made = Desk(database, tmp_path, browser, stack)
        made.start(by="Ada")
        yield made
        stack.close()
        made.stop()
    database.close()


GIVEN = "[...document.querySelectorAll('.given:not([hidden])')].map(badge => badge.textContent)"


def until(page: Page, script: str, expected: object = True) -> None:
    """Waits until a script says what is expected. The page itself lets nobody evaluate text, not even Playwright."""
    value = None
    for _ in range(600):
        with suppress(Error):  # the page is on its way to another
            value = page.evaluate(script)
        if value == expected:
            return
        page.wait_for_timeout(25)
    pytest.fail(f"{script}: {value!r}, and not {expected!r}")


def wait_for_given(page: Page, expected: list[str]) -> None:
    """Waits until the page shows exactly these verdicts, in the order of its pairs."""
    until(page, GIVEN, expected)


def test_keys_judge_and_undo(desk: Desk) -> None:
    """Keys give verdicts and go on; a tick comes with the committed row; undo and redo reach every depth."""
    page = desk.open()
    until(page, "pairs.length > 4")
    page.fill(".pair.current [name=note]", "shadow")
    for key in ("Enter", "s", "d", "k", "d"):
        page.keyboard.press(key)
    wait_for_given(page, ["same ✓ by Ada", "different ✓ by Ada", "different ✓ by Ada"])
    assert sorted(desk.held, key=str) == [("different", "Ada", None)] * 2 + [("same", "Ada", "shadow")]
    assert page.inner_text("#place").startswith("5 of")
    for key in ("u", "Control+z", "u", "u"):
        page.keyboard.press(key)
    wait_for_given(page, [])
    assert (desk.held, page.inner_text("#place")[:4]) == ([], "1 of")
    page.keyboard.press("U")
    wait_for_given(page, ["same ✓ by Ada"])
    assert (desk.held, desk.faults) == ([("same", "Ada", "shadow")], [])


def test_decisions_follow_on_the_page(desk: Desk) -> None:
    """After a verdict the page says what changed, and shows the pair as it is decided now."""
    page = desk.open()
    before = page.inner_text(".pair.current h2")
    key = page.evaluate("document.querySelector('.pair.current').id")
    page.keyboard.press("d" if "is a duplicate" in before else "s")
    page.wait_for_selector(".message.decisions")
    page.keyboard.press("ArrowLeft")
    until(page, f"document.querySelector('.pair.current h2').innerText !== {before!r}")
    assert (key[:5], desk.faults) == ("pair-", [])


def test_two_people(desk: Desk) -> None:
    """Two people get different pairs; each sees the other's verdicts; the second word on a pair is asked about."""
    ada, ben = desk.open(), desk.open()
    ben.fill("#by", "Ben")
    shown = "document.querySelector('.pair.current').id"
    assert ada.evaluate(shown) != ben.evaluate(shown)
    ben.evaluate(f"fetch('/pairs', {{method: 'POST', headers: {{'Content-Type': 'application/json', 'X-Indexer': '1'}},"
                 f" body: JSON.stringify({{pairs: ['{ada.evaluate(shown)[5:]}']}})}}).then(answer => answer.json())"
                 ".then(answer => { answer.pairs.forEach(add); showPair(0); })")  # fmt: skip
    until(ben, f"document.querySelector('.pair.current').id === '{ada.evaluate(shown)}'")
    ada.keyboard.press("s")
    wait_for_given(ada, ["same ✓ by Ada"])
    ben.evaluate("verdicts.clear(); judge('different')")  # as if the message had not come yet
    ben.get_by_role("button", name="Mine").click()
    wait_for_given(ada, ["different ✓ by Ben"])
    assert (desk.held, ada.evaluate("document.querySelectorAll('.message.problem').length")) == (
        [("different", "Ben", None)],
        0,
    )


def test_the_server_dies_and_comes_back(desk: Desk) -> None:
    """What is judged while the server is away is kept, and recorded when it is back; nothing is recorded twice."""
    page = desk.open()
    page.keyboard.press("s")
    wait_for_given(page, ["same ✓ by Ada"])
    desk.stop()
    page.wait_for_selector(".message.offline")
    page.keyboard.press("d")
    wait_for_given(page, ["same ✓ by Ada", "different … by Ada"])
    desk.start(by="Ada")
    assert desk.served is not None
    until(page, "document.querySelector('.message.offline')?.innerText.includes('started again')")
    page.goto(desk.served.gate.address)
    until(page, "document.body.dataset.ready === '1' && location.hash.startsWith('#pair') && unsent.length === 0")
    assert sorted(desk.held) == [("different", "Ada", None), ("same", "Ada", None)]


def test_the_end_of_the_queue_is_no_server_that_is_away(desk: Desk) -> None:
    """Behind the last pair that the page has while the server is away, it does not report the end of the queue; the
    next pair comes by itself when the server answers again."""
    page = desk.open()
    until(page, "pairs.length > 4 && !isFilling")
    page.evaluate("void (window.answering = fetch, window.fetch = () => Promise.reject(new TypeError('away')))")
    while page.locator("#finished:visible").count() == 0:
        page.keyboard.press("s")
        page.wait_for_timeout(20)
    held = page.evaluate("pairs.length")
    assert "end of the queue" not in page.inner_text("#finished")
    assert page.get_by_role("button", name="Look for more pairs").is_visible() is False
    page.evaluate("void (window.fetch = window.answering)")
    until(page, "Boolean(pairs[current]) && !isOffline")
    assert page.inner_text("#place").startswith(f"{held + 1} of")
    assert page.locator("#finished:visible").count() == 0


@pytest.mark.parametrize(
    "answer",
    [
        "(_path, { signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)))",
        '() => Promise.resolve(new Response(\'{"state": "recor\'))',
    ],
    ids=["none", "half of one"],
)
def test_an_answer_that_does_not_come_whole(desk: Desk, answer: str) -> None:
    """A verdict on which no whole answer comes has no tick, and is sent again until one does."""
    page = desk.open()
    until(page, "isFilling", False)
    page.evaluate(f"void (patience['/verdict'] = 50, window.answering = fetch, window.fetch = {answer})")
    page.keyboard.press("s")
    page.wait_for_selector(".message.offline")
    wait_for_given(page, ["same … by Ada"])
    page.evaluate("void (patience['/verdict'] = 20000, window.fetch = answering)")
    wait_for_given(page, ["same ✓ by Ada"])
    assert desk.held == [("same", "Ada", None)]


def test_pairs_of_a_contradiction_follow_each_other(desk: Desk) -> None:
    """Pairs that contradict each other have verdicts, and yet each is shown after the one before."""
    first, second, third = 1, 2, 3
    desk.stop()
    for pair, verdict in (((first, second), "same"), ((first, third), "same"), ((second, third), "different")):
        set_verdict(desk.database, *map(str, pair), verdict, by="Ben", note=None, clock=now)
    with serial() as executor:
        compare(ComparisonContext(desk.database, executor, Limits(), now))
    desk.start(by="Ada", order="contradictions")
    page = desk.open()
    places = []
    for key in ("d", "d", "d"):
        until(page, "isAdvancing", False)
        places.append(page.inner_text("#place"))
        page.keyboard.press(key)
    page.wait_for_selector("#finished:visible")
    assert (places, desk.faults) == (["1 of 3", "2 of 3", "3 of 3"], [])


def test_all_like_this(desk: Desk) -> None:
    """One confirmation judges all duplicates of a keeper, and one undo takes all of it back."""
    page = desk.open()
    page.keyboard.press("a")
    page.wait_for_selector("#alike[open] img")
    count = page.evaluate("document.querySelectorAll('#alike li').length")
    page.click("[data-act=alike-yes]")
    until(page, "[...verdicts.values()].every(given => given.state === 'recorded') && verdicts.size > 0")
    assert (desk.held, count > 0) == ([("same", "Ada", None)] * count, True)
    page.keyboard.press("u")
    until(page, "verdicts.size === 0 && unsent.length === 0")
    assert (desk.held, desk.faults) == ([], [])


def test_verdicts_wait_beside_another_command(desk: Desk) -> None:
    """While another command has the index no tick is shown, and the page says who has it; then the tick comes."""
    page = desk.open()
    other = record_run(desk.database, "prune", arguments={}, clock=now)
    with other:
        page.keyboard.press("s")
        wait_for_given(page, ["same waits by Ada"])
        assert "'prune'" in page.inner_text(".message.waiting")
        assert desk.held == []
    wait_for_given(page, ["same ✓ by Ada"])
    until(page, "document.querySelectorAll('.message.waiting').length", 0)
    assert (desk.held, desk.faults) == ([("same", "Ada", None)], [])


def test_blink_shows_one_picture_in_the_place_of_the_other(desk: Desk) -> None:
    """While it blinks, the left picture is by turns the right one; afterwards it is itself again."""
    page = desk.open()
    shown = "[...document.querySelectorAll('.pair.current .sides img')].map(image => image.getAttribute('src'))"
    until(page, "isFilling", False)
    left, right = page.evaluate(shown)
    page.keyboard.press("b")
    until(page, f"{shown}.join().endsWith('{right}') && new Set({shown}.map(src => src.split('/').at(-1))).size === 1")
    until(page, f"{shown}[0].endsWith('{left}')")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(700)
    page.keyboard.press("ArrowLeft")
    assert (page.get_attribute("[data-act=blink]", "aria-pressed"), desk.faults) == ("false", [])
    assert [src.rpartition("/")[2] for src in page.evaluate(shown)] == [src.rpartition("/")[2] for src in (left, right)]


def test_names_are_shown_and_do_nothing(desk: Desk, hostile: Path) -> None:
    """Names of cameras and files that are markup are text on the page: no dialog, no element, no other address."""
    desk.stop()
    database = open_database(str(hostile.parent / "indexer.db"))
    desk.database = database
    desk.start(read_only=True)
    page = desk.open()
    until(page, "isFilling", False)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("a")
    assert page.evaluate("document.querySelectorAll('b > *, [onmouseover], [onerror], img[src=x]').length") == 0
    assert "<script>alert(2)<b>" in page.inner_text(".pair.current .path")
    page.goto(f"{page.url.partition('#')[0]}camera/1")
    assert "<script>alert(2)<b>" in page.inner_text("h1")
    desk.stop()
    database.close()
    assert desk.faults == []


def test_the_edge_of_what_is_ignored(desk: Desk) -> None:
    """A pair shows where the profile ignores, with the outlines; enlarging leads to the largest change all the same."""
    page = desk.open()
    left, top, right, bottom = page.evaluate(
        "(() => { const points = document.querySelector('.pair.current symbol .ignored-edge').getAttribute('points')"
        ".split(' ').map(point => point.split(',').map(Number));"
        " const [xs, ys] = [0, 1].map(at => points.map(one => one[at]));"
        " return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]; })()"
    )
    assert (0 < left < 100, 50 < top < 150, 900 < right < 1000, bottom > 990) == (True,) * 4
    page.keyboard.press("z")
    until(page, "document.querySelectorAll('#zoom[open]').length", 1)
    change = page.evaluate("view.change && [view.change.x, view.change.y]")
    assert change is not None
    assert change != [(left + right) / 2000, (top + bottom) / 2000]
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    assert page.locator(".pair.current .outlines:visible").count() == 0
    assert desk.faults == []


def test_full_size_moves_together(desk: Desk) -> None:
    """Enlarged, the files themselves are shown; arrows move both and leave the pair."""
    page = desk.open()
    page.keyboard.press("z")
    until(page, "[...document.querySelectorAll('#zoom img')].every(image => image.naturalWidth === 640)")
    place = page.inner_text("#place")
    for key in ("+", "ArrowRight", "ArrowDown", "b"):
        page.keyboard.press(key)
    moves = page.evaluate("[...document.querySelectorAll('#zoom img')].map(image => image.style.transform)")
    assert (len(set(moves)), page.inner_text("#place"), desk.faults) == (1, place, [])
    page.keyboard.press("Enter")  # closes, and judges nothing
    assert (page.locator("dialog[open]").count(), desk.held) == (0, [])
    page.keyboard.press("z")
    page.locator("#zoom").get_by_role("button", name="Different").click()
    wait_for_given(page, ["different ✓ by Ada"])
    assert page.locator("dialog[open]").count() == 0


def test_a_drawn_area_becomes_the_profile(desk: Desk) -> None:
    """A rectangle drawn with the mouse is tried at once, saved as the camera's profile, and undone."""
    page = desk.open("/camera/1")
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    page.mouse.up()
    until(page, "document.querySelector('#result').innerText.includes('would be kept')")
    page.click("[data-tool=paint]")
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    page.mouse.up()
    page.click("[data-tool=save]:enabled")
    until(page, "document.querySelector('#saved').innerText.includes('gate-ignoring')")
    page.reload()  # the way back is still there
    page.click("[data-tool=revert]")
    until(page, "document.querySelector('#saved').innerText.includes('balanced')")
    assert desk.faults == []


def test_a_proposed_area_is_drawn_at_the_start(desk: Desk) -> None:
    """What advise proposes to ignore is drawn and tried when the page opens, and can be saved as it is, or undone."""
    evidence = {"base": "balanced"}
    regions = ((60.0, 50.0, 30.0, 40.0),)
    add_finding(desk.database, CameraFinding(Kind.RESTLESS_AREA, SINCE, None, 2.0, evidence, regions=regions))
    page = desk.open("/camera/1")
    until(page, "document.querySelector('#result').innerText.includes('would be kept')")
    page.click("[data-tool=undo]")
    until(page, "document.querySelector('#result').innerText.includes('Nothing is drawn')")
    page.reload()
    page.click("[data-tool=save]:enabled")
    until(page, "document.querySelector('#saved').innerText.includes('gate-ignoring')")
    page.reload()
    until(page, "document.querySelector('[data-tool=undo]').disabled")
    assert desk.faults == []


@pytest.mark.parametrize("path", ["/", "/camera/1"])
def test_fits_a_phone(desk: Desk, path: str) -> None:
    """Nothing is wider than the screen of a phone, and the bar with the verdicts is in sight."""
    page = desk.open(path, viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    box = page.locator(".bar").bounding_box()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert box is not None
    assert (box["y"] + box["height"], desk.faults) == (844, [])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 60")


@pytest.mark.parametrize("size", [(1280, 500), (390, 844)])
def test_the_beginning_of_a_pair_is_in_sight(desk: Desk, size: tuple[int, int]) -> None:
    """After a name was typed below the pair, and after a verdict, the heading of the pair is in the window and behind
    no tools; the help begins at its beginning."""
    page = desk.open(viewport={"width": size[0], "height": size[1]})
    until(page, "isFilling", False)
    in_sight = "(() => { const box = document.querySelector('.pair.current h2').getBoundingClientRect();" \
               " return document.elementFromPoint(box.left + 5, box.top + 2)?.tagName === 'H2'; })()"  # fmt: skip
    for key in ("Enter", "s", "Enter"):
        page.evaluate("document.querySelector('#by').scrollIntoView()")
        page.focus("#by")
        page.keyboard.press(key) if key == "Enter" else page.get_by_role("button", name="Same").click()
        until(page, in_sight)
    page.keyboard.press("?")
    assert (page.evaluate("help.scrollTop"), desk.faults) == (0, [])


def test_the_list_of_cameras_closes(desk: Desk) -> None:
    """Escape closes the list of cameras, and the key after that means what it always means; its links are large."""
    page = desk.open()
    page.click(".cameras summary")
    box = page.locator(".cameras li a").first.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    page.keyboard.press("Escape")
    assert page.locator(".cameras[open]").count() == 0
    page.keyboard.press("s")
    wait_for_given(page, ["same ✓ by Ada"])


def test_read_only_shows_and_records_nothing(desk: Desk) -> None:
    """With --read-only the pairs are shown, keys do nothing, and the index is not written."""
    desk.stop()
    desk.start(read_only=True)
    page = desk.open()
    page.keyboard.press("s")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#place').innerText.startsWith('2 of')")
    assert (desk.held, page.locator(".bar [data-verdict]:visible").count()) == ([], 0)


def test_the_end_says_what_is_left(desk: Desk) -> None:
    """At the end of the queue the page says how many pairs others have; looking again finds no judged pair."""
    ben = desk.open()
    until(ben, "isFilling || pairs.length === 1", False)
    taken = ben.evaluate("pairs.length")
    ada = desk.open()
    total = ada.evaluate("total")
    for _ in range(total - taken):
        until(ada, "isAdvancing", False)
        ada.keyboard.press("d")
    until(ada, "document.querySelector('#finished').hidden", False)
    until(ada, "document.querySelector('#finished-text').innerText.split(' ')[0]", str(taken))
    assert (len(desk.held), 0 < taken < total, desk.faults) == (total - taken, True, [])


def test_a_key_too_many_at_the_end_judges_nothing(desk: Desk) -> None:
    """Behind the last pair no key judges, enlarges or pins; back leads to the last pair, and undo to what it undoes."""
    page = desk.open()
    last = page.evaluate("total")
    page.keyboard.press("g")
    page.keyboard.type(str(last))
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('#place').innerText === '{last} of {last}'")
    page.keyboard.press("s")
    page.wait_for_selector("#finished:visible")
    for key in ("d", "s", "a", "p", "z", "n", "b", "ArrowRight", "k"):
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    assert (page.locator(".pair:visible").count(), page.locator("dialog[open]").count()) == (0, 0)
    assert desk.held == [("same", "Ada", None)]
    page.keyboard.press("ArrowLeft")
    until(page, f"document.querySelector('#place').innerText === '{last} of {last}'")
    page.keyboard.press("d")
    wait_for_given(page, ["different ✓ by Ada"])
    page.wait_for_selector("#finished:visible")
    page.keyboard.press("u")
    wait_for_given(page, ["same ✓ by Ada"])
    assert (page.locator("#finished:visible").count(), desk.held, desk.faults) == (0, [("same", "Ada", None)], [])


def test_a_note_is_typed_while_its_pair_changes(desk: Desk) -> None:
    """If a pair is shown anew while a person types a note, the letters go on into the note and judge nothing."""
    page = desk.open()
    until(page, "isFilling", False)
    page.keyboard.press("n")
    page.keyboard.type("a shaow")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.evaluate("refresh(() => true).then(() => { window.isNew = true; })")
    until(page, "window.isNew")
    page.keyboard.type("d")
    assert page.input_value(".pair.current [name=note]") == "a shadow"
    page.keyboard.press("Enter")
    page.keyboard.press("s")
    wait_for_given(page, ["same ✓ by Ada"])
    assert (desk.held, desk.faults) == ([("same", "Ada", "a shadow")], [])


def test_whose_name_stands_beside_a_verdict(desk: Desk) -> None:
    """A name that was typed is known to the browser, unless the server is started in another name; without one, no key
    judges."""
    page = desk.open()
    page.fill("#by", "Eva")
    page.reload()
    assert page.input_value("#by") == "Eva"
    assert desk.served is not None
    for by, expected in (("Ben", "Ben"), ("", ""), ("Ada", "Eva")):
        desk.stop()
        desk.start(by=by)
        page.goto("about:blank")
        page.goto(desk.served.gate.address)
        page.wait_for_selector("body[data-ready]")
        assert page.input_value("#by") == expected
        for key in ("a", "s") if by == "" else ():
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.id") == "by"
            page.keyboard.press("Enter")
    assert desk.held == []


def test_keys_of_other_keyboards(desk: Desk) -> None:
    """The keys work with Caps Lock, with letters that are not Latin, and in an enlarged picture."""
    page = desk.open()
    for key, code, caps in (("S", "KeyS", "true"), ("ы", "KeyS", "false"), ("в", "KeyD", "false")):
        until(page, "isFilling", False)
        page.keyboard.press("z")
        page.evaluate("void document.body.dispatchEvent(new KeyboardEvent('keydown',"
                      f" {{ key: '{key}', code: '{code}', modifierCapsLock: {caps}, bubbles: true }}))")  # fmt: skip
        assert page.locator("dialog[open]").count() == 0
    wait_for_given(page, ["same ✓ by Ada", "same ✓ by Ada", "different ✓ by Ada"])
    assert desk.faults == []


def test_answers_that_come_late(desk: Desk) -> None:
    """If the server cannot answer at first, neither with pairs nor with messages, the page shows both when it can."""
    ada = desk.open()
    ben = ada.context.new_page()
    assert desk.served is not None
    refused = dict[str, int]()

    def refuse(route: Route) -> None:
        path = urlsplit(route.request.url).path
        refused[path] = refused.get(path, 0) + 1
        if refused[path] > 1:
            route.continue_()
        else:
            route.fulfill(status={"/ahead": 409, "/events": 503}[path], json={"error": "the index is away"})

    for path in ("ahead", "events"):
        ben.route(f"**/{path}", refuse)
    ben.goto(f"http://{desk.served.host}/")
    ben.wait_for_selector(".message.problem")
    assert "end of the queue" not in ben.inner_text("main")
    ben.wait_for_selector(".pair.current")
    until(ben, "hasListened")
    ada.keyboard.press("s")
    until(ben, "[...verdicts.values()].map(given => given.state)", ["recorded"])


def test_verdicts_as_a_file_while_the_server_is_away(desk: Desk, tmp_path: Path) -> None:
    """What the server did not get can be saved as CSV, which `verdict --from` reads."""
    page = desk.open()
    until(page, "isFilling", False)
    desk.stop()
    page.wait_for_selector(".message.offline")
    assert page.locator(".message.offline button").count() == 0
    page.fill(".pair.current [name=note]", 'a "bird"')
    for key in ("Enter", "s", "d", "u"):
        page.keyboard.press(key)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save it as CSV").click()
    csv = tmp_path / "verdicts.csv"
    csv.write_bytes(Path(download.value.path()).read_bytes())
    report = import_verdicts(desk.database, str(csv), by="Nobody", note=None, clock=now)
    assert (desk.held, report.refused) == ([("same", "Ada", 'a "bird"')], [])


def test_pictures_that_are_gone(desk: Desk) -> None:
    """Without any picture of its images a pair can still be judged; there is nothing to enlarge, and nothing fails."""
    desk.stop()
    with desk.database.write() as session:
        session.execute(text("DELETE FROM thumbnails"))
        session.execute(text("UPDATE images SET path = path || '-gone'"))
    desk.start(by="Ada")
    page = desk.open()
    assert page.locator(".pair.current svg.none").count() == 2
    for key in ("z", "1", "b", "o", "s"):
        page.keyboard.press(key)
    wait_for_given(page, ["same ✓ by Ada"])
    assert (page.locator("dialog[open]").count(), desk.faults) == (0, [])
    page.goto(f"{page.url.partition('#')[0]}camera/1")
    box = page.locator("canvas").bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 4 / 3) < 0.02
    assert box["height"] > 300


NAMELESS = """() => {
  const text = (element) => (element.getAttribute("aria-label") || element.textContent).trim();
  const labelled = (element) => element.labels?.length || element.getAttribute("aria-label");
  const named = {
    button: text, a: text, summary: text, h1: text, h2: text, input: labelled, canvas: labelled,
    img: (image) => image.hasAttribute("alt"),
    dialog: (dialog) => dialog.getAttribute("aria-label") || dialog.getAttribute("aria-labelledby"),
    "[role=group], nav": labelled,
    "svg[role=img]": labelled,
  };
  return Object.entries(named).flatMap(([selector, name]) =>
    [...document.querySelectorAll(selector)].filter((one) => !name(one) && one.id !== "alike-title")
      .map((one) => one.outerHTML));
}"""


@pytest.mark.parametrize("path", ["/", "/camera/1"])
def test_everything_has_a_name_and_is_reached_by_keys(desk: Desk, path: str) -> None:
    """Every button, field and picture has a name for a screen reader; Tab alone reaches every button, visibly."""
    page = desk.open(path)
    assert page.evaluate(NAMELESS) == []
    assert page.locator("h1").count() == 1
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.innerText || document.activeElement.id || '').trim()"))
        assert page.evaluate("document.activeElement === document.body ||"
                             " getComputedStyle(document.activeElement).outlineStyle !== 'none'")  # fmt: skip
    wanted = page.evaluate("[...document.querySelectorAll('button')].filter(button => button.checkVisibility() &&"
                           " !button.disabled).map(button => button.innerText.trim())")  # fmt: skip
    assert set(wanted) - reached == set()
    if path == "/":
        said = page.inner_text("#announced")
        assert (page.inner_text(".pair.current h2") in said, said.startswith("1 of")) == (True, True)


def test_a_page_in_the_background_learns_what_it_missed(desk: Desk) -> None:
    """A page that is not seen keeps no connection; seen again, it shows the verdicts that others gave meanwhile."""
    ada, ben = desk.open(), desk.open()
    until(ben, "hasListened && !isFilling")
    shown = ben.evaluate("keyOf(pairs[current])")
    see = "void (Object.defineProperty(document, 'hidden', { value: %s, configurable: true })," \
          " document.dispatchEvent(new Event('visibilitychange')))"  # fmt: skip
    ben.evaluate(see % "true")
    until(ben, "events.readyState", 2)
    ada.evaluate(
        "key => ask('/pairs', { pairs: [key] }).then(answer => { answer.pairs.forEach(add); showPair(0); })", shown
    )
    until(ada, f"keyOf(pairs[current]) === '{shown}'")
    ada.keyboard.press("s")
    wait_for_given(ada, ["same ✓ by Ada"])
    assert ben.evaluate(GIVEN) == []
    ben.evaluate(see % "false")
    wait_for_given(ben, ["same ✓ by Ada"])


def test_go_to_a_pair_by_its_number(desk: Desk) -> None:
    """The number and Enter lead to that pair, and the keys work there."""
    page = desk.open()
    page.keyboard.press("g")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#place').innerText.startsWith('3 of')")
    page.keyboard.press("s")
    wait_for_given(page, ["same ✓ by Ada"])
    assert desk.faults == []


def test_a_key_before_the_next_pair_judges_nothing(desk: Desk) -> None:
    """A key that is pressed while the next pair is on its way changes no verdict."""
    page = desk.open()
    until(page, "pairs.length > 4")
    page.evaluate("void (fill = () => new Promise((resolve) => setTimeout(resolve, 300)))")
    page.evaluate("showPair(pairs.length - 1)")
    page.keyboard.press("s")
    page.keyboard.press("d")
    wait_for_given(page, ["same ✓ by Ada"])
    assert desk.held == [("same", "Ada", None)]


@pytest.mark.parametrize("key", ["s", "k"])
def test_who_goes_back_while_the_next_pair_is_on_its_way_stays_there(desk: Desk, key: str) -> None:
    """A pair that comes after the person went back to another one is not shown over it, and that one can be judged."""
    page = desk.open()
    until(page, "pairs.length > 2 && !isFilling")
    page.evaluate(
        "void (window.fetchNow = fetch, window.late = [], window.more = fetchMore, window.ended = false,"
        " fetch = (path, how) => path === '/ahead'"
        " ? new Promise((resolve) => late.push(() => resolve(fetchNow(path, how)))) : fetchNow(path, how),"
        " fetchMore = () => more().finally(() => { ended = true; }), showPair(pairs.length - 1))"
    )
    page.keyboard.press(key)
    until(page, "late.length > 0")
    page.keyboard.press("ArrowLeft")
    shown = page.inner_text("#place")
    assert page.evaluate("isAdvancing") is False
    page.evaluate("void (fetch = fetchNow, late.forEach((release) => release()))")
    until(page, "ended && !isFilling")
    assert (page.inner_text("#place"), page.locator("#finished:visible").count()) == (shown, 0)


def test_pairs_that_are_long_on_their_way_are_no_end(desk: Desk) -> None:
    """However long the server takes for the next pairs, the page waits for them and does not report the end."""
    page = desk.open()
    until(page, "pairs.length > 4 && !isFilling")
    page.evaluate("void (isFilling = true, showPair(pairs.length - 1), window.late = setTimeout,"
                  " window.setTimeout = (act, wait) => late(act, wait === 20 ? 0 : wait))")  # fmt: skip
    page.keyboard.press("s")
    page.wait_for_timeout(1800)
    assert page.locator("#finished:visible").count() == 0
    page.evaluate("void (isFilling = false)")
    until(page, "isAdvancing", False)
    assert desk.faults == []


def test_pin_and_take_it_back(desk: Desk) -> None:
    """A key pins the left picture, which stays on its side when it becomes the keeper; the same key takes it back."""
    page = desk.open()
    left = page.get_attribute(".pair.current .side", "data-image")
    for shown in (True, False):
        page.keyboard.press("p")
        until(page, "!document.querySelector('.pair.current .pinned').hidden", shown)
        page.wait_for_selector(".message.decisions")
        page.evaluate("document.querySelector('.message.decisions').remove()")
        assert page.get_attribute(".pair.current .side", "data-image") == left
    assert desk.faults == []


def test_a_closed_tab_gives_its_pairs_to_others(desk: Desk) -> None:
    """Who opens the page after somebody closed it gets the first pair at once; a tab that is copied gets others."""
    ada = desk.open()
    first = ada.evaluate("document.querySelector('.pair.current').id")
    copy = ada.context.new_page()
    copy.goto(ada.url)
    copy.wait_for_selector("body[data-ready]")
    assert copy.evaluate("document.querySelector('.pair.current')?.id") != first
    ada.close()
    until(copy, f"fill({{ from: 0, again: true }}).then(() => document.getElementById('{first}') !== null)")


def test_what_a_closed_tab_did_not_send(desk: Desk) -> None:
    """What two tabs could not send before they were closed is kept in the browser, and sent by the next page."""
    tabs = [desk.open()]
    tabs.append(tabs[0].context.new_page())
    tabs[1].goto(tabs[0].url)
    tabs[1].wait_for_selector("body[data-ready]")
    for tab in tabs:
        tab.evaluate("void (ask = () => Promise.reject(new Error('as if the server were away')))")
        tab.keyboard.press("s")
        until(tab, "unsent.length", 1)
    context = tabs[0].context
    for tab in tabs:
        tab.close()
    page = context.new_page()
    assert desk.served is not None
    page.goto(f"http://{desk.served.host}/")
    until(page, "document.body.dataset.ready === '1' && unsent.length === 0 && Object.keys(localStorage)"
          ".every(name => !name.includes(':'))")  # fmt: skip
    assert desk.held == [("same", "Ada", None)] * 2


def test_a_page_that_missed_messages_learns_what_holds(desk: Desk) -> None:
    """A verdict that waited is shown as recorded, also if the message of it did not reach the page."""
    page = desk.open()
    page.evaluate("void (learnState = () => {})")  # as if messages were lost
    page.keyboard.press("s")
    wait_for_given(page, ["same ✓ by Ada"])
    page.evaluate("mark({ pair: verdicts.keys().next().value.split('-'), after: { verdict: 'different', by: 'Eva' } },"
                  " 'waiting')")  # fmt: skip
    page.evaluate("learnStatus()")
    wait_for_given(page, ["same ✓ by Ada"])
    assert (desk.held, desk.faults) == ([("same", "Ada", None)], [])
