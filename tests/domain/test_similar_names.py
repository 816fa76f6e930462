"""Names of cameras that look the same."""

import unicodedata

from indexer.domain.similar_names import list_similar_names

NFC, NFD = (unicodedata.normalize(form, "T\u00fcr") for form in ("NFC", "NFD"))


def test_names_that_differ_in_case_or_accents_alone_are_grouped() -> None:
    """Letter case, and how an accent is written, make no other name; everything else does."""
    names = ["yard", "Cam1", "cam1", "CAM1", NFC, NFD, "cam 1", "Tur"]
    assert list_similar_names(names) == [("CAM1", "Cam1", "cam1"), (NFD, NFC)]
    assert list_similar_names(["a", "b"]) == list_similar_names([]) == []


def test_case_and_accents_together() -> None:
    """A capital with a composed accent is the small letter with one of its own."""
    assert list_similar_names([NFC.upper(), NFD]) == [(NFD, NFC.upper())] or list_similar_names([NFC.upper(), NFD]) == [
        (NFC.upper(), NFD)
    ]
