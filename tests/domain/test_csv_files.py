"""Labels and verdicts as a person writes them: read whole, or refused with the line and what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.csv_files import (
    BadLine,
    PairLabel,
    StateLabel,
    VerdictLine,
    parse_labels,
    parse_verdict_lines,
)
from indexer.errors import LabelError, VerdictError

HEADER = b"image_a,image_b,verdict\n"
ALL_COLUMNS = "verdict,note,image_b,image_a,by,path_a,path_b,hash_a,hash_b"


def test_states() -> None:
    """An image and its state a line; columns in any order, others beside them, and empty lines are no matter."""
    text = 'State,note,IMAGE\nempty,,a.jpg\n\n" visit 1 ",x,"b,\nc.jpg"\n'
    assert parse_labels(text.encode()) == [
        StateLabel(2, "a.jpg", "empty", None),
        StateLabel(5, "b,\nc.jpg", "visit 1", None),
    ]


def test_states_with_cameras() -> None:
    """The camera is said where there is a column for it, and may be left empty."""
    assert parse_labels(b"image,state,camera\r\n1,empty,gate\r\n2,empty,\r\n") == [
        StateLabel(2, "1", "empty", "gate"),
        StateLabel(3, "2", "empty", None),
    ]


def test_pairs() -> None:
    """Two images and a verdict a line, as `verdict --from` takes them."""
    assert parse_labels(HEADER + b"1,2,Same\n a.jpg,b.jpg,different\n") == [
        PairLabel(2, "1", "2", "same"),
        PairLabel(3, " a.jpg", "b.jpg", "different"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"line 1: '' does not name the columns; begin with image,state or"),
        ("a.jpg,empty\n", r"line 1: 'a.jpg,empty' does not name"),
        ("image\tstate\na\tb\n", r"line 1: 'image\\tstate' does not name"),
        ("image,state\na.jpg,empty\nb.jpg\n", r"line 3: 1 values for 2 columns"),
        ("image,state\na,b.jpg,empty\n", r"line 2: 3 values for 2 columns; put values with a comma in double quotes"),
        ("image,state\na.jpg, \n", r"line 2: the column state is empty"),
        ("image,state\n,empty\n", r"line 2: the column image is empty"),
        ("image_a,image_b,verdict\na,b,alike\n", r"line 2: the verdict 'alike' is neither same nor different"),
        ("image_a,image_b,verdict\na,,same\n", r"line 2: the column image_b is empty"),
        ('image,state\n"a.jpg,empty\n', r"line 2: unexpected end of data; is this a CSV with commas\?"),
    ],
)
def test_what_is_no_label(text: str, said: str) -> None:
    """A line that is no label is refused with its number."""
    with pytest.raises(LabelError, match=said):
        parse_labels(text.encode())


@given(st.text(max_size=80).map(str.encode) | st.binary(max_size=80))
def test_any_labels(content: bytes) -> None:
    """Whatever a file holds, it is read or refused in one sentence."""
    try:
        found = parse_labels(b"image,state\n" + content)
    except LabelError as problem:
        found = [problem]
    assert all(isinstance(one, StateLabel) or str(one).startswith("line ") for one in found)


def test_nul_is_refused_with_its_line() -> None:
    """A NUL character is refused with its line."""
    with pytest.raises(LabelError, match="line 2: it contains the character NUL"):
        parse_labels(b'image,state\n"a\0b.jpg",x\n')


def test_names_in_bytes_that_are_no_text() -> None:
    """The name of a file may be any bytes, behind the mark that a spreadsheet puts first."""
    assert parse_labels(b"\xef\xbb\xbfimage,state\ncaf\xe9.jpg,empty\n") == [
        StateLabel(2, "caf\udce9.jpg", "empty", None)
    ]


def test_verdicts() -> None:
    """A verdict a line, columns in any order, with the line on which it begins; empty values are none."""
    text = f'\ufeff{ALL_COLUMNS}\n\nsame,"two\nlines",2,1,Ada,/a,/b,00,01\ndifferent,,b.jpg,a.jpg,,,,,\n'
    assert parse_verdict_lines(text.encode()) == [
        VerdictLine(3, "1", "2", "same", "Ada", "two\nlines", "/a", "/b", "00", "01"),
        VerdictLine(5, "a.jpg", "b.jpg", "different"),
    ]


def test_what_is_no_verdict() -> None:
    """Every bad line is reported beside the good ones; what follows a record without an end is not read."""
    content = HEADER + b'1,2\n1,2,alike\n \n1,2,Same\n1,"\0",same\n1,2,same\n1,"2,same\n1,2,same\n'
    assert parse_verdict_lines(content) == [
        BadLine(2, "it has 2 columns, and the first line 3"),
        BadLine(3, "the verdict is 'alike'; say same or different"),
        BadLine(4, "it has 1 columns, and the first line 3"),
        BadLine(5, "the verdict is 'Same'; say same or different"),
        BadLine(6, "it contains the character NUL"),
        VerdictLine(7, "1", "2", "same"),
        BadLine(8, "it is not valid CSV from here on: unexpected end of data"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the column image_a is missing; the first line must name the columns image_a,image_b,verdict, and may"),
        (b"\n" + HEADER, "the column image_a is missing"),
        (b"Image_a,image_b,verdict\n", "the column image_a is missing"),
        (b"image_a,image_b,verdict,notes\n", "there is a column 'notes'"),
        (b"image_a,image_b,verdict,by,by\n", "a column is there twice"),
        (b"image_a,\xff", r"it is not UTF-8 text \(byte 8\); save it as CSV in UTF-8"),
        (b'"image_a,image_b,verdict\n', "line 1: it is not valid CSV from here on: unexpected end of data"),
    ],
)
def test_what_is_no_file_of_verdicts(content: bytes, said: str) -> None:
    """A header of other columns, and bytes that are no text, refuse the file."""
    with pytest.raises(VerdictError, match=f"^{said}"):
        parse_verdict_lines(content)


@given(st.text(max_size=80).map(str.encode) | st.binary(max_size=80))
def test_any_verdicts(content: bytes) -> None:
    """Whatever a file holds, its lines are read or refused one by one, each with its number."""
    try:
        found = parse_verdict_lines(HEADER + content)
    except VerdictError:
        return
    assert all(line.number > 1 for line in found)
