"""Labels as a person writes them: read whole, or refused with the line and what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.labels import PairLabel, StateLabel, parse_labels
from indexer.errors import LabelError


def lines(text: str) -> list[str]:
    """The lines of a file, ends kept."""
    return text.splitlines(keepends=True)


def test_states() -> None:
    """An image and its state a line; columns in any order, others beside them, and empty lines are no matter."""
    text = 'State,note,IMAGE\nempty,,a.jpg\n\n" visit 1 ",x,"b,\nc.jpg"\n'
    assert parse_labels(lines(text)) == [
        StateLabel(2, "a.jpg", "empty", None),
        StateLabel(5, "b,\nc.jpg", "visit 1", None),
    ]


def test_states_with_cameras() -> None:
    """The camera is said where there is a column for it, and may be left empty."""
    assert parse_labels(lines("image,state,camera\r\n1,empty,gate\r\n2,empty,\r\n")) == [
        StateLabel(2, "1", "empty", "gate"),
        StateLabel(3, "2", "empty", None),
    ]


def test_pairs() -> None:
    """Two images and a verdict a line, as `verdict --from` takes them."""
    assert parse_labels(lines("image_a,image_b,verdict\n1,2,Same\n a.jpg,b.jpg,different\n")) == [
        PairLabel(2, "1", "2", "same"),
        PairLabel(3, " a.jpg", "b.jpg", "different"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"line 1: '' does not say what the columns are; begin with image,state or"),
        ("a.jpg,empty\n", r"line 1: 'a.jpg,empty' does not say"),
        ("image\tstate\na\tb\n", r"line 1: 'image\\tstate' does not say"),
        ("image,state\na.jpg,empty\nb.jpg\n", r"line 3: 1 values for 2 columns"),
        ("image,state\na,b.jpg,empty\n", r"line 2: 3 values for 2 columns; put values with a comma in double quotes"),
        ("image,state\na.jpg, \n", r"line 2: the state is empty"),
        ("image,state\n,empty\n", r"line 2: the image is empty"),
        ("image_a,image_b,verdict\na,b,alike\n", r"line 2: the verdict 'alike' is neither same nor different"),
        ("image_a,image_b,verdict\na,,same\n", r"line 2: an image is empty"),
        ('image,state\n"a.jpg,empty\n', r"line 2: unexpected end of data; is this a CSV with commas\?"),
    ],
)
def test_what_is_no_label(text: str, said: str) -> None:
    """A slip is told with its line."""
    with pytest.raises(LabelError, match=said):
        parse_labels(lines(text))


@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    """Whatever a file holds, it is read or refused in one sentence."""
    try:
        found = parse_labels(lines("image,state\n" + text))
    except LabelError as problem:
        found = [problem]
    assert all(isinstance(one, StateLabel) or str(one).startswith("line ") for one in found)


def test_nul_is_refused_with_its_line() -> None:
    """A character that no path can hold is told with its line."""
    with pytest.raises(LabelError, match="line 2: it holds the character NUL"):
        parse_labels(["image,state\n", '"a\0b.jpg",x\n'])
