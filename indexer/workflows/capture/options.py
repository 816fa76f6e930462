"""Where the frames of videos go, and which of them are looked at."""

from dataclasses import dataclass

from indexer.domain.videos import Sampling
from indexer.escaping import printable


@dataclass(frozen=True)
class VideoOptions:
    """Where the frames of videos go, and which frames are looked at.

    `frames_folder`: a real path. `every_s`: seconds from one frame to the next, above 0. `time_s`: a video may always
    take so long.
    """

    frames_folder: str
    every_s: float = 1.0
    sampling: Sampling = Sampling.AUTO
    time_s: float = 120.0

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments as the run stores them."""
        return {
            "frames": printable(self.frames_folder),
            "every_s": self.every_s,
            "sampling": str(self.sampling),
        }
