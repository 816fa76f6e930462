"""Lines of a CSV: what was written is read back."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.csv_lines import CsvLines

CELLS = st.text(st.sampled_from("ab,\"\r\n \t;'\u2028"), max_size=6)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4))
def test_values_are_read_back(rows: list[list[str]]) -> None:
    """Commas, quotes, and each kind of line break stay in their value, and every line has a plain end."""
    lines = CsvLines()
    text = "".join(lines.line(row) for row in rows)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows
    assert not text.endswith("\r\n")
