"""verdict: a person's word on a pair, what it does to the next compare, and what of it is refused."""

from pathlib import Path

import pytest

from indexer.domain.images import ImageState
from indexer.domain.verdicts import Contradiction
from indexer.errors import ImageError, VerdictError
from indexer.workflows.review.explain import explain_pair
from indexer.workflows.review.verdict import AbsentImage, VerdictReport, import_verdicts, list_verdicts, set_verdict
from tests.support.index import BIRD, CAR, SECOND_BIRD, Index, name, picture, prepared

A, B, C, D = (name(minute) for minute in (0, 1, 2, 3))
KEEP = ("keep", None, None)


@prepared
def place(index: Index) -> None:
    """An empty place, the same with a bird, and twice with a car: two kept and two duplicates; and another camera."""
    for file, marks in {A: (), B: (BIRD,), C: (CAR,), D: (CAR, BIRD)}.items():
        index.put(file, picture(*marks))
    index.put(name(0, "yard"), picture())
    index.ingest()
    index.compare()


def of_gate(index: Index) -> dict[str, tuple[str, str | None, float | None]]:
    """The decisions of the first camera."""
    return {file: decision for file, decision in index.decisions().items() if file.startswith("gate")}


def held(index: Index) -> list[tuple[int, int, str, str, bool]]:
    """Every row of verdicts: the pair, the word, who, and whether it holds."""
    return index.rows(
        "SELECT image_a_id, image_b_id, verdict, judged_by, withdrawn_at IS NULL FROM verdicts ORDER BY id"
    )


def undecided(index: Index) -> list[str]:
    """The present images without a decision that holds."""
    return [
        index.file(path)
        for (path,) in index.rows(
            "SELECT path FROM images WHERE state = 'ready' AND id NOT IN (SELECT image_id FROM audit_decisions)"
        )
    ]


def csv_of(index: Index, *lines: str, header: str = "image_a,image_b,verdict", start: bytes = b"") -> str:
    """A file of verdicts beside the folder."""
    path = index.folder.parent / "said.csv"
    path.write_bytes(start + "\r\n".join([header, *lines, ""]).encode())
    return str(path)


def read(index: Index, file: str) -> VerdictReport:
    """Takes a file of verdicts."""
    return import_verdicts(index.database, file, by="Ada", note=None, clock=index.clock)


def test_same_makes_a_duplicate(place: Index) -> None:
    """Of two kept images that a person calls the same one is a duplicate from the next compare on, by that person."""
    report = place.judge(C, A, "same", by="Bob", note="the car is parked")
    assert (undecided(place), [one.by for one in report.recorded]) == ([C], ["Bob"])
    place.compare()
    assert of_gate(place) == {A: ("duplicate", C, None), B: KEEP, C: KEEP, D: ("duplicate", C, 0.0)}
    assert place.rows("SELECT reason, decided_by FROM audit_decisions WHERE image_id = 1") == [("verdict", "Bob")]


def test_different_keeps_a_duplicate(place: Index) -> None:
    """A duplicate that a person tells from its keeper is kept, and prune leaves it alone even before compare."""
    place.judge(A, B, "different")
    assert [place.file(item.victim.path) for item in place.plan().victims] == [D]
    place.compare()
    assert of_gate(place) == {A: KEEP, B: KEEP, C: KEEP, D: ("duplicate", C, 0.0)}


@pytest.mark.parametrize("word", ["same", "different"])
def test_undone_it_is_as_before(place: Index, word: str) -> None:
    """A verdict taken back leaves the decisions that would be there without it; the row stays as history."""
    before = of_gate(place)
    place.judge(A, C, word)
    place.judge(A, B, word)
    place.compare()
    for file in (C, B):
        place.undo(A, file)
    place.compare()
    assert of_gate(place) == before
    assert held(place) == [(1, 3, word, "Ada", 0), (1, 2, word, "Ada", 0)]


def test_the_same_verdict_again_changes_nothing(place: Index) -> None:
    """Said again, by anybody and either way round, a verdict stays as it was, and no decision is taken back."""
    place.judge(A, B, "different", note="a bird")
    place.compare()
    report = place.judge(B, A, "different", by="Bob")
    assert ([(one.by, one.note) for one in report.unchanged], report.recorded) == ([("Ada", "a bird")], [])
    assert (held(place), undecided(place)) == ([(1, 2, "different", "Ada", 1)], [])


def test_the_other_verdict_takes_the_place(place: Index) -> None:
    """The other verdict ends the first row and adds one; the replaced verdict is reported."""
    place.judge(A, B, "different")
    report = place.judge(A, B, "same", by="Bob")
    assert [(one.verdict, one.by) for one in report.replaced] == [("different", "Ada")]
    assert held(place) == [(1, 2, "different", "Ada", 0), (1, 2, "same", "Bob", 1)]


def test_only_what_rests_on_the_pair_is_decided_again(place: Index) -> None:
    """A verdict on a duplicate leaves its keeper's decision, and one on two duplicates all decisions, as they are."""
    place.judge(A, B, "same")
    assert undecided(place) == [B]
    place.compare()
    place.judge(B, D, "same")
    assert undecided(place) == []


def test_verdicts_are_runs(place: Index) -> None:
    """Giving, changing and undoing are runs of writing commands, with what was asked and what came of it."""
    place.judge(A, B, "same")
    place.undo(A, B)
    runs = place.rows(
        "SELECT command, arguments, outcome FROM audit_runs WHERE command LIKE 'verdict%' ORDER BY run_id"
    )
    assert runs == [
        ("verdict", '{"by": "Ada", "images": [1, 2], "verdict": "same"}', "done"),
        ("verdict undo", '{"images": [1, 2]}', "done"),
    ]


def test_verdict_on_a_removed_image(place: Index) -> None:
    """It is recorded, says that the file can come back, leaves the removed image's decision, and counts once it is."""
    place.prune()
    place.compare()
    before = place.rows("SELECT * FROM audit_decisions ORDER BY image_id")
    report = place.judge(B, A, "different")
    path = str(place.folder / B)
    assert report.away == [AbsentImage(path, ImageState.REMOVED, True)]
    assert place.compare().counts["decided"] == 0
    assert place.rows("SELECT * FROM audit_decisions ORDER BY image_id") == before
    place.restore(path, pin=False)
    place.compare()
    assert of_gate(place) == {A: KEEP, B: KEEP, C: KEEP}


def test_what_cannot_be_restored_is_not_promised(place: Index) -> None:
    """For an image that was deleted permanently, or is missing, no restore command is proposed."""
    place.prune(permanent=True)
    (place.folder / C).unlink()
    place.ingest()
    report = place.judge(B, C, "same")
    away = [
        AbsentImage(str(place.folder / B), ImageState.REMOVED, False),
        AbsentImage(str(place.folder / C), ImageState.MISSING, False),
    ]
    assert report.away == away


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [("1", "1", "are the same image"), ("1", A, "are the same image"), ("1", "5", "of camera 'gate'")],
)
def test_pairs_that_are_none(place: Index, a: str, b: str, said: str) -> None:
    """One image twice, or images of two cameras, are refused in words, and nothing is written."""
    before = place.dump()
    with pytest.raises(VerdictError, match=said):
        set_verdict(
            place.database, a, str(place.folder / b) if b == A else b, "same", by="Ada", note=None, clock=place.clock
        )
    assert place.dump() == before


@pytest.mark.parametrize("by", ["", "  ", "caf\udce9"])
def test_a_name_is_needed(place: Index, by: str) -> None:
    """A verdict of nobody, or of a name that cannot be written down, is refused."""
    with pytest.raises(VerdictError, match=r"--by NAME|not UTF-8"):
        place.judge(A, B, "same", by=by)


def test_undo_of_nothing(place: Index) -> None:
    """Where no verdict holds there is none to take back, and no run."""
    before = place.dump()
    with pytest.raises(VerdictError, match=r"there is no verdict on .* manage\.py verdict list"):
        place.undo(A, B)
    assert place.dump() == before


def test_list_tells_whether_it_is_so(place: Index) -> None:
    """The list has every verdict that holds, and whether what is decided now is as it says; None before compare."""
    place.judge(A, B, "different")
    place.judge(A, C, "different")
    place.judge(C, D, "same")
    place.undo(C, D)
    assert [(one.pair, one.agrees) for one in list_verdicts(place.database).verdicts] == [
        ((1, 2), None),
        ((1, 3), None),
    ]
    place.compare()
    assert [one.agrees for one in list_verdicts(place.database).verdicts] == [True, True]
    place.judge(A, B, "same")
    place.pin(A, B)
    place.compare()
    assert [one.agrees for one in list_verdicts(place.database).verdicts] == [False, True]


def test_contradictions_are_reported_everywhere(place: Index) -> None:
    """A same B, B same C, A different C is reported by the command, the list and every compare, and is not resolved."""
    place.judge(A, B, "same")
    assert place.judge(B, C, "same").contradictions == []
    expected = [Contradiction((1, 3), (1, 2, 3))]
    assert place.judge(A, C, "different").contradictions == expected
    assert list_verdicts(place.database).contradictions == expected
    for _ in range(2):
        assert {one.camera: one.contradictions for one in place.compare().cameras} == {
            "gate": tuple(expected),
            "yard": (),
        }
    assert of_gate(place) == {A: KEEP, B: ("duplicate", C, None), C: KEEP, D: ("duplicate", C, 0.0)}
    assert place.undo(A, B).contradictions == []


def test_an_image_of_another_camera_contradicts_nothing(place: Index) -> None:
    """What was said of an image with another neither counts nor contradicts while they are of two cameras."""
    place.judge(A, B, "same")
    place.judge(B, C, "same")
    place.judge(A, C, "different")
    place.ingest(place.folder / C, camera="yard")
    found = list_verdicts(place.database)
    assert ([one.camera for one in found.verdicts], found.contradictions) == (["gate", None, None], [])


def test_explain_tells_the_verdict(place: Index) -> None:
    """The details of a pair have its current verdict, in either order of the two images."""
    pair = [str(place.folder / file) for file in (C, A)]
    assert explain_pair(place.database, *pair).judged is None
    given = place.judge(A, C, "different").recorded
    assert explain_pair(place.database, *pair).judged == given[0]


def test_many_at_once(place: Index) -> None:
    """A file gives many verdicts: by number or path, with names and notes of its own or those of the command."""
    lines = f'same,"{place.folder / A}",3,Bob,"two\r\nlines, quoted ""so"""', "different,2,1,,"
    report = read(place, csv_of(place, *lines, header="verdict,image_a,image_b,by,note", start=b"\xef\xbb\xbf"))
    told = [(one.pair, one.verdict, one.by, one.note) for one in report.recorded]
    assert told == [((1, 3), "same", "Bob", 'two\r\nlines, quoted "so"'), ((1, 2), "different", "Ada", None)]
    again = read(place, csv_of(place, "1,3,same", "", "1,2,same"))
    assert [len(pairs) for pairs in (again.recorded, again.replaced, again.unchanged)] == [1, 1, 1]


def test_all_or_nothing(place: Index) -> None:
    """One line that cannot be followed leaves everything unwritten, and every such line is named by its number."""
    before = place.dump()
    lines = [
        "1,2,same",
        "1,1,same",
        '"1\n",2,same',
        "1,9,same",
        "1,2,different",
        "1,2",
        "2,3,maybe",
        "1,5,same",
        "3,\0,same",
    ]
    report = read(place, csv_of(place, *lines))
    assert [where for where, _ in report.refused] == [f"line {number}" for number in (3, 4, 6, 7, 8, 9, 10, 11)]
    assert "line 2 says same" in dict(report.refused)["line 7"]
    assert (place.dump(), report.recorded) == (before, [])


def test_a_file_of_another_index(place: Index) -> None:
    """Paths in the file, written as the database stores them, must be those that the index has for these numbers."""
    odd = place.put("gate\udcff-1623844890000.png", picture(CAR, SECOND_BIRD))
    place.ingest()
    (stored,) = place.rows("SELECT id, path FROM images WHERE path LIKE 'file:%'")
    header = "image_a,image_b,verdict,path_a,path_b"
    place.execute("UPDATE images SET camera_id = 1 WHERE id = ?", stored[0])
    good = f"3,{stored[0]},same,{place.folder / C},{stored[1]}"
    report = read(place, csv_of(place, good, f"1,2,same,/elsewhere/{A},", header=header))
    assert [(where, "another index" in why) for where, why in report.refused] == [("line 3", True)]
    assert [one.path_b for one in read(place, csv_of(place, good, header=header)).recorded] == [str(odd)]


def test_a_file_of_an_index_of_other_bytes(place: Index) -> None:
    """Where numbers and paths agree by chance, the hashes in the file must be those of the images, too."""
    (held,) = place.rows("SELECT content_hash FROM images WHERE id = 1")
    header = "image_a,image_b,verdict,hash_a,hash_b"
    report = read(place, csv_of(place, f"1,2,same,{held[0]},{'0' * 64}", header=header))
    assert [(where, "other bytes" in why) for where, why in report.refused] == [("line 2", True)]
    assert len(read(place, csv_of(place, f"1,2,same,{held[0]},", header=header)).recorded) == 1


def test_a_file_without_verdicts(place: Index) -> None:
    """A file with a header alone is refused, and no run is written."""
    before = place.dump()
    with pytest.raises(VerdictError, match="has no verdict below its first line"):
        read(place, csv_of(place))
    assert place.dump() == before


@pytest.mark.parametrize("odd", ["file://[x", "file:///%00", "", "/", "x" * 5000, "1" * 30, "\u00b2", "a\nb"])
def test_odd_names_are_refused(place: Index, odd: str) -> None:
    """Whatever stands where an image should is named as not in the index, or as a folder, in either place and as a path
    to be held."""
    header = "image_a,image_b,verdict,path_a"
    report = read(place, csv_of(place, f'"{odd}",2,same,', f'1,"{odd}",same,', f'1,2,same,"{odd}_"', header=header))
    told = "is a folder" if odd == "/" else "not in the index"
    assert [told in why for _, why in report.refused] == [True, True, False]
    assert "another index" in report.refused[2][1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "column image_a is missing"),
        (b"image_a;image_b;verdict\n1;2;same\n", "column image_a is missing"),
        (b"image_a,image_b,verdict,notes\n", "a column 'notes'"),
        (b"image_a,image_b,verdict,by,by\n", "twice"),
        (b"\xff\xfei\0m\0", "not UTF-8"),
        (b'"image_a,image_b,verdict\n', "it is not valid CSV"),
    ],
)
def test_files_that_are_none(place: Index, tmp_path: Path, content: bytes, said: str) -> None:
    """A file without the header, of other columns or of another encoding is refused by name with what it should be."""
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(VerdictError, match=f"x.csv': .*{said}"):
        read(place, str(tmp_path / "x.csv"))


def test_unknown_images_are_refused(place: Index) -> None:
    """An image that the index does not have is named."""
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        place.judge(A, "nowhere.png", "same")
