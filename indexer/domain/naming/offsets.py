"""An offset behind a time in a file name: ``+0200``, ``-05:00``, and ``-0500``, which may be a counter instead."""

import re
from datetime import UTC, datetime

from indexer.domain.naming.moments import read_offset
from indexer.domain.naming.stamps import Doubt, DoubtKind, Stamp

_OFFSET = re.compile(
    r"[ _]?(?P<offset>[+](?:0[0-9]|1[0-4])[-:.]?(?:00|15|30|45)|-(?:0[0-9]|1[0-4]):(?:00|15|30|45))(?![0-9A-Za-z])"
)
_COUNTER = re.compile(r"[ _]?-(?P<number>[0-9]{4})(?![0-9A-Za-z])")
_MAY_BE_OFFSET = re.compile(r"(?:0[0-9]|1[0-4])(?:00|15|30|45)")
_BEGINS = frozenset("+- _")


def with_offset(stem: str, stamp: Stamp) -> Stamp:
    """The stamp of a local time in a stem with the offset behind it, if there is one.

    Four digits behind ``-`` are left in doubt. Where no time zone has them they are a counter, and show that others
    are.
    """
    if stem[stamp.end : stamp.end + 1] not in _BEGINS or stamp.end == 0:
        return stamp
    sure = _OFFSET.match(stem, stamp.end)
    if sure is not None:
        doubt = stamp.doubt
        if doubt is not None:
            orders = tuple(_shifted(one, sure["offset"]) for one in doubt.orders)
            moment, other = _shifted(doubt.moment, sure["offset"]), _shifted(doubt.other, sure["offset"])
            doubt = doubt._replace(moment=moment, other=other, orders=orders)
        return stamp._replace(end=sure.end(), moment=_shifted(stamp.moment, sure["offset"]), doubt=doubt)
    counter = _COUNTER.match(stem, stamp.end)
    if counter is None or counter["number"] == "0000":
        return stamp
    if stamp.moment is None or stamp.moment.tzinfo is not None or stamp.doubt is not None:
        return stamp
    if not _MAY_BE_OFFSET.fullmatch(counter["number"]):
        return stamp._replace(doubt=Doubt(DoubtKind.OFFSET, None, stamp.moment, counter["number"]))
    moment = _shifted(stamp.moment, f"-{counter['number']}")
    doubt = Doubt(DoubtKind.OFFSET, moment, stamp.moment, counter["number"])
    return stamp._replace(end=counter.end(), moment=None, doubt=doubt)


def _shifted(moment: datetime | None, offset: str) -> datetime | None:
    """A local time with its offset, in UTC; one that has a zone stays."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=read_offset(offset)).astimezone(UTC)
