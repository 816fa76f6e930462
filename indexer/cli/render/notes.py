"""Sentences that several reports share."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from indexer.cli.render.tables import MAX_LISTED
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.files.walking import NOT_AN_IMAGE
from indexer.store.reconsidered import NotCompared, WouldKeep


def note_undecided(console: Console, number: int) -> None:
    """Prints how many images compare did not decide yet, and the next step."""
    if number:
        console.print(describe_undecided(number))


def describe_undecided(number: int) -> str:
    """How many images compare did not decide yet, and the next step."""
    return f"{counted(number, 'image is', 'images are')} not decided yet. Next: {command_line('compare')}"


def note_system_folders(console: Console, number: int) -> None:
    """Prints how many images lie in system folders, which an earlier version walked."""
    if number:
        console.print(
            f"{counted(number, 'image lies', 'images lie')} in hidden folders, bins, snapshots or the like, "
            "which an earlier version took in. "
            "Such images and what they stand for are held back from prune. Ingest the folder above again, or "
            "name such a "
            f"folder itself to keep its images: {command_line('ingest', 'FOLDER')}"
        )


def note_similar_names(console: Console, groups: Sequence[tuple[str, ...]]) -> None:
    """Prints the cameras whose names look the same to a person."""
    for group in groups:
        console.print(
            f"{counted(len(group), 'camera looks', 'cameras look')} the same, {', '.join(map(ascii, group))}; "
            "their images are not compared with "
            f"each other. To make them one, with the files of all: {command_line('ingest', '--camera', 'NAME', 'FILE')}"
        )


def note_would_keep(console: Console, cameras: Sequence[WouldKeep]) -> None:
    """Prints how many removed images the profiles in force would have kept."""
    if not cameras:
        return
    removed, restorable = (sum(getattr(camera, name) for camera in cameras) for name in ("removed", "restorable"))
    profiles = ", ".join(sorted({printable(camera.profile) for camera in cameras}))
    console.print(
        f"{counted(removed, 'removed image was', 'removed images were')} decided by another profile, and {profiles} "
        f"would have kept {'it' if removed == 1 else 'them'}; in quarantine: {restorable}."
    )
    if restorable:
        console.print(f"  To bring these back: {command_line('restore', '--would-keep')}")


def note_not_compared(console: Console, cameras: Sequence[NotCompared]) -> None:
    """Prints how many images in quarantine the profiles in force did not decide, and why."""
    for whole_pictures in (False, True):
        of_kind = [camera for camera in cameras if camera.whole_pictures == whole_pictures]
        if not of_kind:
            continue
        profiles = ", ".join(sorted({printable(camera.profile) for camera in of_kind}))
        images = counted(sum(camera.removed for camera in of_kind), "removed image is", "removed images are")
        if whole_pictures:
            console.print(f"{images} not compared with {profiles}: it compares whole pictures, and no removed files.")
        else:
            console.print(
                f"{images} not compared with {profiles} yet. If the disk of the quarantine is away, mount it; then: "
                f"{command_line('compare')}"
            )


def note_skipped(console: Console, skipped: Mapping[str, int], endings: Mapping[str, int]) -> None:
    """Prints how many paths are left alone, by reason; `endings`: of those that are no images."""
    for reason, number in skipped.items():
        listed = f" ({_format_endings(endings)})" if reason == NOT_AN_IMAGE and endings else ""
        console.print(f"  skipped {number}: {reason}{listed}")


def _format_endings(endings: Mapping[str, int]) -> str:
    """The suffixes of skipped files, the most frequent first."""
    ranked = sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    listed = [f"{printable(ending or 'none')} {number}" for ending, number in ranked[:MAX_LISTED]]
    return ", ".join(
        [*listed, *([f"and {len(ranked) - MAX_LISTED} other endings"] if len(ranked) > MAX_LISTED else [])]
    )
