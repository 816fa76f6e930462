"""What the index has of a file that may tell what a new name beside it means."""

from datetime import datetime, tzinfo
from typing import NamedTuple

from indexer.domain.naming.camera_words import CameraText
from indexer.domain.naming.moments import to_utc
from indexer.domain.naming.reading import read_path
from indexer.domain.naming.siblings import Sibling
from indexer.domain.naming.stamps import DoubtKind


class KnownSibling(NamedTuple):
    """A file of a camera's folder that the index has.

    `captured_at`: the time that its name says, aware; None if that is read from elsewhere. `is_by_folder`: its folder
    says its camera, and not its name.
    """

    path: str
    mtime_ns: int
    captured_at: datetime | None
    is_by_folder: bool

    def sibling(self, zone: tzinfo | None) -> Sibling:
        """The file as a sibling; of several times that its name may mean only the one stays that the index has.

        `zone`: that of times without an offset; None: UTC.
        """
        reading = read_path(self.path)
        doubt = reading.doubt
        if doubt is None or reading.moment is not None or self.captured_at is None:
            return Sibling(self.path, self.mtime_ns, reading)
        moment, other, *orders = (
            meaning if meaning is not None and to_utc(meaning, zone) == self.captured_at else None
            for meaning in (doubt.moment, doubt.other, *doubt.orders)
        )
        if moment is None and other is None and not any(orders):
            return Sibling(self.path, self.mtime_ns, reading)
        is_moment_open = doubt.kind is DoubtKind.SHORT_YEAR
        decided = doubt._replace(moment=doubt.moment if is_moment_open else moment, other=other, orders=tuple(orders))
        return Sibling(self.path, self.mtime_ns, reading._replace(doubt=decided))

    @property
    def keeps_folder(self) -> bool:
        """Whether the camera is that of the folder although the name has a text for one beside a time in doubt."""
        reading = read_path(self.path)
        is_in_doubt = reading.doubt is not None and reading.moment is None
        return self.is_by_folder and is_in_doubt and reading.kind in {CameraText.NAME, CameraText.DEFAULT}
