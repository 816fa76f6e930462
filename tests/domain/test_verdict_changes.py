"""Changes of verdicts: what a page may send, and that each can be undone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.verdict_changes import (
    MAX_CHANGES,
    PersonVerdict,
    VerdictChange,
    parse_change,
    parse_changes,
    to_json,
)
from indexer.errors import VerdictError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
NAME = TEXT.map(lambda text: text.strip() or "Ada")  # no filter: the lowest hypothesis loses one of a mapped text
SAID = st.none() | st.builds(PersonVerdict, st.sampled_from(["same", "different"]), NAME, st.none() | TEXT)
CHANGES = st.builds(
    VerdictChange,
    st.tuples(st.integers(1, 50), st.integers(51, 2**63 - 1)),
    st.just(("a" * 64, "b" * 64)),
    SAID,
    SAID,
).filter(lambda change: change.before != change.after)


@given(CHANGES)
def test_a_change_comes_through_json(change: VerdictChange) -> None:
    """A change is the same after it went to a page and back, and its reverse reversed is the change."""
    assert parse_change(to_json(change)) == change
    assert parse_change(to_json(change.reverse)).reverse == change


def document(**changed: Any) -> dict[str, Any]:
    """A change as a page sends it, with some keys changed."""
    said = {"verdict": "same", "by": "Ada", "note": None}
    return {"pair": [1, 2], "hashes": ["a" * 64, "b" * 64], "before": None, "after": said} | changed


BAD: list[Any] = [
    None, [], "x", 1, document(pair=[2, 1]), document(pair=[1, 1]), document(pair=[0, 1]), document(pair=[True, 2]),
    document(pair=["1", "2"]), document(pair=[1, 2, 3]), document(pair=[1, 2**63]), document(pair=[1.0, 2]),
    document(hashes=["a"]), document(hashes=["a" * 64, None]), document(hashes=["a" * 63, "b" * 64]),
    document(after=None), document(after={"verdict": "alike", "by": "Ada"}), document(after={"verdict": "same"}),
    document(after={"verdict": "same", "by": " "}), document(after={"verdict": "same", "by": "A\0"}),
    document(after={"verdict": "same", "by": "A" * 101}), document(after={"verdict": "same", "by": ["Ada"]}),
    document(after={"verdict": "same", "by": "Ada", "note": 1}), document(before=7),
    document(after={"verdict": "same", "by": "Ada", "note": "n" * 501}),
    document(after={"verdict": "same", "by": "Ada", "note": "\ud800"}),
]  # fmt: skip


@pytest.mark.parametrize("value", BAD)
def test_what_is_no_change_is_refused(value: Any) -> None:
    """A value that is not a whole change within its ranges is refused."""
    with pytest.raises(VerdictError):
        parse_change(value)


@pytest.mark.parametrize(
    "value",
    [None, {}, [], [document(), document()], [document(pair=[1, 2 + n]) for n in range(MAX_CHANGES + 1)]],
)
def test_what_are_no_changes_is_refused(value: Any) -> None:
    """None, too many, and a pair twice are refused."""
    with pytest.raises(VerdictError):
        parse_changes(value)
