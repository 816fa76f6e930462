"""A session of review: what pages get and send, and that decisions follow."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.errors import CameraError, ProfileError, VerdictError
from indexer.workflows.report.picture_cache import PictureCache
from indexer.workflows.review_server import pair_pages
from tests.support.index import BIRD, CAR, SECOND_BIRD, Index, name, picture, prepared
from tests.support.review_pages import Session, session

A, B, C, D = (name(minute) for minute in (0, 1, 2, 3))


@prepared
def place(index: Index) -> None:
    """A place: empty, with a bird, with two, and with a car; three are one, in the end."""
    for file, marks in {A: (), B: (BIRD,), C: (BIRD, SECOND_BIRD), D: (CAR,)}.items():
        index.put(file, picture(*marks))
    index.ingest()
    index.compare()


Open = Callable[..., Any]


@pytest.fixture
def open_session(place: Index, tmp_path: Path) -> Open:
    """Opens sessions on the index."""
    return lambda **options: session(place.database, place.clock, tmp_path / "state", **options)


def first_pairs(opened: Session, person: str = "ada", **request: Any) -> list[dict[str, Any]]:
    """The pairs that a person gets."""
    return list(opened.review.ahead({"person": person, "start": 0, "count": 12} | request)["pairs"])


def judged(pair: dict[str, Any], verdict: str | None = "different", by: str = "Ada") -> dict[str, Any]:
    """The change that a page sends of a pair."""
    after = None if verdict is None else {"verdict": verdict, "by": by, "note": None}
    return {"pair": pair["pair"], "hashes": pair["hashes"], "before": pair["verdict"], "after": after}


def test_pairs_come_with_pictures(place: Index, open_session: Open) -> None:
    """Each pair is HTML with two pictures and their difference, which the session gives out, and in full size, too."""
    with open_session() as opened:
        pair = first_pairs(opened)[0]
        names = [part.split('"')[0] for part in pair["html"].split('src="/')[1:]]
        pictures = [opened.review.picture(name) for name in names]
        assert [one and one.media_type for one in pictures] == ["image/jpeg", "image/jpeg", "image/png"]
        native = opened.review.native(pair["pair"][0], pair["hashes"][0])
        assert native is not None
        assert native.data in {path.read_bytes() for path in place.folder.iterdir()}
        assert opened.review.native(pair["pair"][0], pair["hashes"][1]) is None
        assert [opened.review.native(number, pair["hashes"][0]) for number in (2**63 - 1, 2**63, 10**20)] == [None] * 3
        assert opened.review.picture("pictures/../../../etc/passwd") is None
        assert opened.review.picture(names[2].replace(".png", ".json")) is None  # the outlines, which are no picture


@pytest.mark.parametrize("limit", ["MAX_NATIVE_PIXELS", "MAX_NATIVE_BYTES"])
def test_a_huge_picture_comes_smaller(
    place: Index, open_session: Open, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """A file that would be too much for a browser is not given as it is, but as a picture of bounded width."""
    monkeypatch.setattr(pair_pages, limit, 10)
    monkeypatch.setattr(pair_pages, "MAX_NATIVE_WIDTH", 50)
    with open_session() as opened:
        pair = first_pairs(opened)[0]
        native = opened.review.native(pair["pair"][0], pair["hashes"][0])
        assert native is not None
        assert cv2.imdecode(np.frombuffer(native.data, np.uint8), cv2.IMREAD_COLOR).shape[1] == 50
        assert native.media_type == "image/jpeg"


def test_two_people_get_different_pairs(open_session: Open) -> None:
    """What one has another does not get; together they have all."""
    with open_session() as opened:
        one, two = (first_pairs(opened, person, count=1) for person in ("ada", "ben"))
        assert one[0]["key"] != two[0]["key"]
        assert first_pairs(opened, "eva", count=12, start=0) == first_pairs(opened, "eva", have=[], count=12)


def test_a_verdict_decides_at_once_and_undo_undoes_it(place: Index, open_session: Open) -> None:
    """After a verdict the camera is decided by it and pages are told what changed; undone, all is as before."""
    before = place.decisions()
    with open_session() as opened:
        pair = next(pair for pair in first_pairs(opened) if "is a duplicate of" in pair["html"])
        answer = opened.review.change({"changes": [judged(pair)]})
        opened.review.end()
        assert (answer["state"], answer["judged"]) == ("recorded", 1)
        assert opened.last("decisions")["freed"] == 1
    after = place.decisions()
    assert after != before
    with open_session() as opened:
        (shown,) = opened.review.pairs({"pairs": [pair["key"]]})["pairs"]
        opened.review.change({"changes": [judged(shown, None)]})
    assert place.decisions() == before
    assert place.rows("SELECT outcome FROM runs WHERE command = 'review'") == [("done",)] * 2


def test_all_like_this(place: Index, open_session: Open) -> None:
    """All duplicates of a keeper are judged in one request, which is refused whole if one of them changed. No file
    changes."""
    files = place.tree()
    with open_session() as opened:
        keeper = int(first_pairs(opened)[0]["html"].split('data-keeper="')[1].split('"')[0])
        listed = opened.review.alike({"keeper": keeper})["pairs"]
        changes = [judged(pair | {"verdict": None}, "same") for pair in listed]
        stale = [*changes[:-1], changes[-1] | {"hashes": ["0" * 64, "1" * 64]}]
        with pytest.raises(VerdictError):
            opened.review.change({"changes": stale})
        assert place.rows("SELECT count(*) FROM verdicts") == [(0,)]
        opened.review.change({"changes": changes})
        assert opened.review.alike({"keeper": keeper})["pairs"] == []
    assert place.rows("SELECT count(*) FROM verdicts") == [(len(listed),)]
    assert (bool(listed), place.tree()) == (True, files)


def test_who_comes_second_sees_the_first_word(open_session: Open) -> None:
    """A verdict on a pair that another judged meanwhile is not recorded; the answer says who said what."""
    with open_session() as opened:
        pair = first_pairs(opened)[0]
        opened.review.change({"changes": [judged(pair, "same", by="Ben")]})
        answer = opened.review.change({"changes": [judged(pair, "different")]})
        assert (answer["state"], answer["current"]["by"], answer["current"]["verdict"]) == ("conflict", "Ben", "same")
        status = opened.review.status()
        assert (status["judged"], status["recorded"], status["contradictions"]) == (1, 1, [])


@pytest.mark.parametrize(
    "request_",
    [{}, {"person": "a" * 101, "start": 0, "count": 1}, {"person": "a", "start": -1, "count": 1},
     {"person": "a", "start": "0", "count": 1}, {"person": 5, "start": 0, "count": 1}],
)  # fmt: skip
def test_malformed_requests_are_refused(open_session: Open, request_: dict[str, Any]) -> None:
    """What no page sends is refused in one sentence."""
    with open_session() as opened, pytest.raises(VerdictError):
        opened.review.ahead(request_)


def test_names_of_no_pair_are_passed_over(open_session: Open) -> None:
    """A name that no pair can have, of one image twice or of a number that no index can hold, is left out."""
    with open_session() as opened:
        known = first_pairs(opened)[0]["key"]
        asked = ["1-1", "0-1", f"1-{10**30}", "1", "1-2-3", 5, known]
        assert [pair["key"] for pair in opened.review.pairs({"pairs": asked})["pairs"]] == [known]


def test_pairs_that_are_just_decided_come_later(place: Index, open_session: Open) -> None:
    """A pair whose image has no decision for a moment is passed over, and comes when it has one again."""
    with open_session() as opened:
        shown = [pair["key"] for pair in first_pairs(opened)]
        image = int(shown[0].split("-")[0])
        place.execute("UPDATE decisions SET superseded_at = decided_at WHERE image_id = ?", image)
        during = opened.review.ahead({"person": "ada", "start": 0, "count": 12})
        left = [key for key in shown if str(image) not in key.split("-")]
        assert ([pair["key"] for pair in during["pairs"]], during["end"], during["judged"]) == (left, True, 0)
        place.execute("UPDATE decisions SET superseded_at = NULL WHERE image_id = ?", image)
        assert [pair["key"] for pair in first_pairs(opened, have=left)] == [key for key in shown if key not in left]


def test_all_changes_of_a_request_are_one_message(open_session: Open) -> None:
    """However many verdicts a request brings, the pages get one message."""
    with open_session() as opened:
        changes = [judged(pair) for pair in first_pairs(opened)]
        opened.review.change({"changes": changes})
        messages = [data for name, data in opened.published if name == "verdicts"]
    assert [[item["pair"] for item in message["changes"]] for message in messages] == [[c["pair"] for c in changes]]


def test_pinned_from_the_page(place: Index, open_session: Open) -> None:
    """A pinned image is kept from the next decision on, until its pin is taken back; a stale page pins nothing. No file
    changes."""
    before, files = place.decisions(), place.tree()
    with open_session() as opened:
        pair = next(pair for pair in first_pairs(opened) if "is a duplicate of" in pair["html"])
        image = {"image": pair["images"][0], "hash": pair["hashes"][pair["pair"].index(pair["images"][0])]}
        with pytest.raises(VerdictError):
            opened.review.pin(image | {"hash": "0" * 64, "pinned": True})
        assert opened.review.pin(image | {"pinned": True}) == {"image": image["image"], "pinned": True}
        opened.review.end()
        ((path,),) = place.rows("SELECT path FROM images WHERE id = ?", image["image"])
        assert place.decisions()[Path(path).name][0] == "keep"
    with open_session() as opened:
        assert opened.review.pairs({"pairs": [pair["key"]]})["pairs"][0]["pinned"] == [image["image"]]
        opened.review.pin(image | {"pinned": False})
    assert (place.decisions(), place.tree()) == (before, files)


@pytest.mark.parametrize("change", ["removed", "replaced", "gone"])
def test_a_pair_whose_file_changes(place: Index, open_session: Open, change: str) -> None:
    """A pair whose file is removed, replaced or gone meanwhile can be shown and judged as what the person saw."""
    with open_session() as opened:
        pair = next(pair for pair in first_pairs(opened) if "is a duplicate of" in pair["html"])
        ((path,),) = place.rows("SELECT path FROM images WHERE id = ?", pair["images"][0])
        if change == "removed":
            place.prune()
        elif change == "gone":
            Path(path).unlink()
        else:
            Path(path).write_bytes(picture(CAR, stamp=77))
        answer = opened.review.change({"changes": [judged(pair)]})
        opened.review.end()  # the image is decided again
        (shown,) = opened.review.pairs({"pairs": [pair["key"]]})["pairs"]
        assert (answer["state"], shown["verdict"]["verdict"]) == ("recorded", "different")
        assert opened.review.native(
            pair["images"][0], pair["hashes"][pair["pair"].index(pair["images"][0])]
        ) is None or (change == "removed")
    assert place.rows("SELECT verdict FROM verdicts") == [("different",)]


def test_nothing_is_removed_from_a_page(place: Index, open_session: Open) -> None:
    """Whatever a page asks for, every file stays where it is with its bytes, and no removal is planned or noted."""
    before = {path: path.read_bytes() for path in place.folder.rglob("*")}
    with open_session() as opened:
        review, pairs = opened.review, first_pairs(opened)
        review.change({"changes": [judged(pair, "same") for pair in pairs]})
        image, content_hash = pairs[0]["pair"][0], pairs[0]["hashes"][0]
        review.pin({"image": image, "hash": content_hash, "pinned": True})
        saved = review.save_area(CAR_AREA | {"camera": 1})
        review.undo_area({"camera": 1, "profile": saved["profile"], "own_before": saved["own_before"]})
        review.leave({"person": "ada"})
    assert {path: path.read_bytes() for path in place.folder.rglob("*")} == before
    assert (place.removals(), place.rows("SELECT DISTINCT state FROM images")) == ([], [("ready",)])


def test_reading_beside_a_session(place: Index, open_session: Open) -> None:
    """With --read-only pairs are shown beside a session that records, and no file is made."""
    with open_session() as writing, open_session(read_only=True) as reading:
        assert first_pairs(reading)
        writing.review.change({"changes": [judged(first_pairs(writing)[0])]})
    with open_session(read_only=True) as reading:
        files = {path.name for path in place.folder.parent.rglob("*")}
        assert not [name for name in files if name.endswith(".review.jsonl")]


def drawing(left: int, top: int, wide: int, high: int) -> str:
    """A drawing of a black box on white, 96 x 64, as a page sends it."""
    image = np.full((64, 96), 255, np.uint8)
    image[top : top + high, left : left + wide] = 0
    return base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()


CAR_AREA = {"rectangles": [[20.0, 20.0, 55.0, 75.0]], "drawing": None}
CAR_DRAWN = {"rectangles": [], "drawing": drawing(20, 12, 54, 50)}


def test_a_saved_area_asks_of_removed_images(place: Index, open_session: Open) -> None:
    """The next compare decides removed images by the camera's new profile, though no command chose it."""
    removed = place.prune().removed
    with open_session() as opened:
        opened.review.save_area(CAR_AREA | {"camera": 1})
        opened.review.end()
    place.compare()
    assert place.rows("SELECT COUNT(*), SUM(CASE WHEN kept THEN 1 ELSE 0 END) FROM reconsidered") == [(removed, 0)]


@pytest.mark.parametrize("area", [CAR_AREA, CAR_DRAWN])
def test_a_drawn_area_is_tried_saved_and_undone(place: Index, open_session: Open, area: dict[str, Any]) -> None:
    """What trying says is what compare decides with the area; undo gives the old profile and decisions back. No file
    changes."""
    before, files, runs = place.decisions(), place.tree(), "SELECT count(*) FROM runs"
    with open_session() as opened:
        (runs_before,) = place.rows(runs)
        tried = opened.review.try_area(area | {"camera": 1})
        assert (tried["images"], tried["kept"] > tried["kept_with"], place.rows(runs)) == (4, True, [runs_before])
        saved = opened.review.save_area(area | {"camera": 1})
        opened.review.end()
    assert sum(decision[0] == "keep" for decision in place.decisions().values()) == tried["kept_with"]
    made = place.rows("SELECT command FROM runs WHERE command LIKE 'profile%' ORDER BY id")
    assert made == [("profile make",)]
    with open_session() as opened:
        assert saved["profile"] in opened.review.area_page(1)
        opened.review.undo_area({"camera": 1, "profile": saved["profile"], "own_before": saved["own_before"]})
    assert (place.decisions(), place.tree()) == (before, files)
    assert place.rows("SELECT profile_id FROM cameras") == [(None,)]


def test_areas_are_added_to_those_before(place: Index, open_session: Open) -> None:
    """A second drawing keeps the first; a stale undo is refused."""
    with open_session() as opened:
        first = opened.review.save_area({"camera": 1, "rectangles": [[0, 90, 10, 10]], "drawing": drawing(0, 0, 4, 4)})
        second = opened.review.save_area({"camera": 1, "rectangles": [[50, 50, 5, 5]], "drawing": drawing(90, 0, 4, 4)})
        with pytest.raises(ProfileError, match="by now"):
            opened.review.undo_area({"camera": 1, "profile": first["profile"], "own_before": None})
        undone = opened.review.undo_area({"camera": 1, "profile": second["profile"], "own_before": first["profile"]})
    assert (second["own_before"], undone["profile"]) == (first["profile"], first["profile"])
    ((parameters,),) = place.rows(
        "SELECT preparations.parameters FROM preparations JOIN scorings ON scorings.preparation_id = preparations.id"
        " JOIN profiles ON profiles.scoring_id = scorings.id WHERE profiles.name = ?", second["profile"],
    )  # fmt: skip
    assert all(part in parameters for part in ("[0.0, 90.0, 10.0, 10.0]", "[50.0, 50.0, 5.0, 5.0]", '"ignored_px": 32'))


BAD_AREAS: list[dict[str, Any]] = [
    {}, {"rectangles": []}, {"rectangles": "all"}, {"rectangles": [[1, 2, 3]]}, {"rectangles": [[0, 0, 101, 5]]},
    {"rectangles": [[10**400, 0, 1, 1]]}, {"rectangles": [[float("nan"), 0, 1, 1]]},
    {"rectangles": [[0, 0, 100, 100]]}, {"rectangles": [[0, 0, True, 5]]}, {"rectangles": [[0, 0, 1, 1]] * 51},
    {"drawing": "no base64!"}, {"drawing": base64.b64encode(b"no PNG").decode()}, {"drawing": 5},
    {"drawing": drawing(0, 0, 96, 64)}, {"drawing": drawing(0, 0, 0, 0)},
]  # fmt: skip


@pytest.mark.parametrize("area", BAD_AREAS)
def test_what_is_no_area_is_refused(open_session: Open, area: dict[str, Any]) -> None:
    """An area that is malformed, empty, or all of the frame is refused, and so is one of no camera."""
    with open_session() as opened:
        for method in (opened.review.try_area, opened.review.save_area):
            with pytest.raises(ProfileError):
                method(area | {"camera": 1})
        with pytest.raises(CameraError):
            opened.review.try_area({"camera": 7, "rectangles": [[0, 0, 5, 5]]})


def test_pictures_in_memory_are_bounded() -> None:
    """What was not used for longest goes first, and the sizes of all stay within the limit."""
    cache = PictureCache(max_bytes=10)
    for key in "abc":
        cache.write(key, b"1234")
        assert cache.reuse("a")
    assert [cache.find(key) is not None for key in "abc"] == [True, False, True]
