"""The rows of a long export on the disk, so that no transaction stays open while files are copied."""

import pickle
from collections.abc import Iterable, Iterator
from typing import IO

from indexer.domain.exports import ExportedImage


class ImageSpool:
    """Images in a file of this process alone, in the order in which they were added. None is held in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add_all(self, images: Iterable[ExportedImage]) -> None:
        """Adds images at the end."""
        for image in images:
            pickle.dump(tuple(image), self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[ExportedImage]:
        """Yields all images from the first one on."""
        self._file.seek(0)
        while True:
            try:
                values = pickle.load(self._file)  # this process wrote it, to a file without a name
            except EOFError:
                return
            yield ExportedImage(*values)
