"""Rows as lines of a CSV (RFC 4180), with plain line ends."""

import csv
import io
from collections.abc import Iterable
from typing import Any

_CRLF = "\r\n"


class CsvLines:
    """Makes one line of each row. Every reader of CSV gets the values back, also those with line breaks."""

    def __init__(self) -> None:
        self._text = io.StringIO(newline="")
        # With a plain line end here, Python 3.11 does not quote a value with a carriage return.
        self._writer = csv.writer(self._text, lineterminator=_CRLF)

    def line(self, values: Iterable[Any]) -> str:
        r"""The values as one line that ends with `\n`. None is an empty value."""
        self._writer.writerow(values)
        text = self._text.getvalue().removesuffix(_CRLF) + "\n"
        self._text.seek(0)
        self._text.truncate()
        return text
