"""Names that number the same things in other letters."""

import pytest

from indexer.domain.naming.columns import Column
from indexer.domain.naming.patterns import compile_pattern
from indexer.domain.naming.prefixes import find_prefix_column
from indexer.domain.naming.series import pattern_of


@pytest.mark.parametrize(
    ("forms", "labels"),
    [
        (["IMG_{}.JPG", "PICT{}.JPG"], ("<IMG>_*.<JPG>", "<PICT>*.<JPG>")),
        (["IMG_{}.JPG", "gate_{}.jpg"], ("<IMG>_*.<JPG>", "<gate>_*.<jpg>")),
        (["IMG_{}.JPG", "img_{}.JPG"], ("<IMG>_*.<JPG>", "<img>_*.<JPG>")),
        (["IMG_{}.JPG", "{}.JPG"], ("*.<JPG>", "<IMG>_*.<JPG>")),
        (["{}_IMG.JPG", "{}_PICT.JPG"], ("*_<IMG>.<JPG>", "*_<PICT>.<JPG>")),
        (["IMG_{}.JPG", "IMG_{}.png"], ("<IMG>_*.<JPG>", "<IMG>_*.<png>")),
        (
            ["IMG_{}.JPG", "IMG_{}.png", "PICT{}.JPG"],
            ("<IMG>_*.<JPG>", "<IMG>_*.<png>", "<PICT>*.<JPG>"),
        ),
    ],
)
def test_two_cards_in_one_folder(forms: list[str], labels: tuple[str, ...]) -> None:
    """Other letters beside the same numbers may be another camera, and by the pattern that is proposed each is one."""
    names = {form: [form.format(f"{n:04}") for n in (1, 2, 3)] for form in forms}
    assert find_prefix_column(f"/x/{name}" for of_form in names.values() for name in of_form) == Column(labels, True)
    pattern = compile_pattern(pattern_of(labels))
    read = [{found and found.camera for found in map(pattern.read, of_form)} for of_form in names.values()]
    assert len(read[0]) == len(read[1]) == 1
    assert read[0] != read[1]


@pytest.mark.parametrize(
    "names",
    [
        ["IMG_0001.JPG", "IMG_0002.JPG", "PICT0003.JPG", "PICT0004.JPG"],
        ["IMG_0001.JPG", "PICT0001.JPG", "IMG_0002.JPG"],
        ["IMG_0001.JPG", "IMG_0002.JPG", "thumb_0001.JPG", "thumb_0002.JPG"],
        ["IMG_0001.JPG", "IMG_0002.JPG", "a/PICT0001.JPG", "a/PICT0002.JPG"],
        ["IMG_20240501_120000.jpg", "PXL_20240501_120000.jpg", "IMG_20240501_120001.jpg", "PXL_20240501_120001.jpg"],
        ["gate_0001.jpg", "yard_0001.jpg", "gate_0002.jpg", "yard_0002.jpg"],
        ["IMG.JPG", "PICT.JPG"],
        ["00001-capture.jpg", "00001-analyse.jpg", "00002-capture.jpg", "00002-analyse.jpg"],
        ["IMG_0001.JPG", "IMG_E0001.JPG", "IMG_0002.JPG", "IMG_E0002.JPG"],
    ],
)
def test_other_letters_that_show_nothing(names: list[str]) -> None:
    """Other numbers, a single one, made files, another folder, names with times and words tell nothing here."""
    assert find_prefix_column(f"/x/{name}" for name in names) is None
