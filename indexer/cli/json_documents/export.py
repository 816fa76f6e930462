"""The document of `export`."""

from typing import Annotated, TypedDict


class ExportDocument(TypedDict):
    """What was exported."""

    target: Annotated[str, "The new file or folder."]
    format: Annotated[str, "Its format."]
    exported: Annotated[int, "Number of images in it."]
    left_out: Annotated[dict[str, int], "Number of images that the format cannot hold, by reason."]
    failures: Annotated[list[tuple[str, str]], "Path and reason of each file that could not be exported."]
    undecided: Annotated[int, "Number of present images that are not decided."]
    waiting: Annotated[int, "Number of duplicates that were not removed. They are never exported."]
    held_back: Annotated[int, "Number of duplicates that came back after their removal. They are never exported."]
