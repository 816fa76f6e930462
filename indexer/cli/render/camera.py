"""The reports of `camera` and of `ingest --dry-run` as text."""

import os
from collections.abc import Iterable, Sequence

from rich.console import Console

from indexer.cli.render.notes import note_skipped
from indexer.cli.render.tables import MAX_LISTED, format_local_time, list_files, print_sentences, print_table, zone_name
from indexer.domain.naming.cameras import folder_of_source
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.rules import NamingRule
from indexer.domain.naming.schemes import Scheme
from indexer.domain.naming.series import pattern_below, pattern_of
from indexer.domain.paths import lies_at_or_below
from indexer.domain.plurals import counted
from indexer.escaping import command_line, printable
from indexer.files.walking import is_video_name
from indexer.workflows.admin.camera import CameraListing, Confirmation
from indexer.workflows.ingest.held_cameras import HeldCamera
from indexer.workflows.ingest.name_plan import NamePlan, describe_reread
from indexer.workflows.ingest.preview import IngestPreview, VideoPreview
from indexer.workflows.removal.missing_folders import find_missing_folder, relocate_hint

_SHOWN_WORDS = 8


def render_cameras(console: Console, cameras: Sequence[CameraListing], *, local: bool) -> None:
    """Prints the cameras."""
    rows = [
        [
            camera.camera,
            camera.images,
            format_local_time(camera.first_captured_at, timezone=camera.timezone, local=local),
            format_local_time(camera.last_captured_at, timezone=camera.timezone, local=local),
            zone_name(camera.timezone, local=local),
            _first_folder(camera.sources),
        ]
        for camera in cameras
    ]
    print_table(
        console,
        ["camera", "images", "first", "last", "time zone", "from"],
        rows,
        what="cameras",
        first=("camera", "images", "from", "time zone", "last"),
        paths=("from",),
    )


def _first_folder(folders: Sequence[str]) -> str:
    more = f" and {len(folders) - 1} more" if len(folders) > 1 else ""
    return f"{folders[0]}{more}" if folders else ""


def render_rules(console: Console, rules: Sequence[NamingRule], *, forgotten: NamingRule | None = None) -> None:
    """Prints what is stored of each folder, and what is so no more."""
    heads = ["folder", "camera", "level", "pattern", "scheme", "time zone", "rules"]
    rows = [
        [
            rule.folder,
            rule.camera,
            "" if rule.camera_level is None else str(rule.camera_level),
            rule.pattern,
            rule.scheme,
            rule.timezone or "UTC",
            "earlier" if rule.is_earlier else "",
        ]
        for rule in rules
    ]
    print_table(console, heads, rows, what="folders")
    if forgotten is not None:
        console.print(
            f"Nothing is stored of {printable(forgotten.folder)} any more. Known images keep their cameras and times. "
            f"What new ones get: {command_line('ingest', '--dry-run', names=[forgotten.folder])}. "
            f"To also rename known images: {command_line('ingest', '--forget-rules', names=[forgotten.folder])}"
        )
    if any(rule.is_earlier for rule in rules):
        console.print(
            f"Folders with earlier rules keep the cameras that an earlier version gave them. "
            f"What would change: {command_line('ingest', 'FOLDER', '--dry-run')}"
        )


def render_schemes(console: Console, schemes: Sequence[Scheme]) -> None:
    """Prints the built-in patterns."""
    rows = [[scheme.name, scheme.maker, scheme.example] for scheme in schemes]
    print_table(
        console,
        ["scheme", "maker", "example"],
        rows,
        what="schemes",
        first=("scheme", "maker", "example"),
        paths=("example",),
    )


def render_confirmation(console: Console, confirmation: Confirmation) -> None:
    """Prints what was confirmed, or taken back."""
    are_one = "is not confirmed any more" if confirmation.undone else "is one camera"
    console.print(f"camera {confirmation.camera!r} {are_one} in these folders:")
    for folder in confirmation.folders[:MAX_LISTED]:
        console.print(f"  {printable(folder)}")
    if confirmation.undone:
        held = HeldCamera(confirmation.camera, 0, confirmation.folders, "")
        console.print(f"Images in the index keep this camera. To part them by folder: {_several_command(held)}")
    else:
        console.print(f"Next: {command_line('ingest', 'FOLDER')}")


def render_preview(console: Console, preview: IngestPreview, *, local: bool) -> None:
    """Prints what an ingest would name the files."""
    rows = [
        [
            camera.camera,
            camera.files,
            camera.new,
            camera.folders,
            _time(camera.first, camera.timezone, local),
            _time(camera.last, camera.timezone, local),
            zone_name(camera.timezone, local=local),
            f"{camera.camera_from} / {camera.time_from}",
            camera.example,
        ]
        for camera in preview.cameras
    ]
    heads = ["camera", "files", "new", "folders", "first", "last", "time zone", "camera / time from", "example"]
    if rows or preview.videos is None:
        first = ("camera", "new", "first", "example", "camera / time from", "time zone", "files")
        print_table(console, heads, rows, what="cameras", first=first, paths=("example",))
    for change in preview.changes:
        condition = f" with {command_line('ingest', 'FOLDER', '--new-rules')}" if change.needs_new_rules else ""
        console.print(
            f"{counted(change.files, 'known image')} of camera {change.camera!r} would become "
            f"{change.becomes!r}{condition}, for example {printable(change.example)}"
        )
    if preview.new_times:
        console.print(f"{counted(preview.new_times, 'known image')} would get another time.")
    if preview.videos is not None:
        _print_videos(console, preview.videos, local=local)
    note_skipped(console, preview.skipped, preview.endings)
    list_files(console, preview.refused)
    note_names(console, preview.names, ambiguous_times=preview.ambiguous_times)
    console.print("Nothing was read or written: this is what ingest would do.")


def _print_videos(console: Console, videos: Iterable[VideoPreview], *, local: bool) -> None:
    rows = [
        [
            video.path,
            video.camera,
            _time(video.started_at, video.timezone, local),
            zone_name(video.timezone, local=local),
            video.time_from,
            video.state,
        ]
        for video in videos
    ]
    print_table(
        console,
        ["video", "camera", "began", "time zone", "time from", "state"],
        rows,
        what="videos",
        first=("camera", "began", "video", "state"),
        paths=("video",),
    )


def _time(time: object, timezone: str | None, local: bool) -> str:
    return "" if time is None else format_local_time(time, timezone=timezone, local=local)  # type: ignore[arg-type]


def note_names(console: Console, names: NamePlan, *, ambiguous_times: int) -> None:
    """Prints what a person should know of the names of new files."""
    note_held_cameras(console, names)
    print_sentences(
        console,
        [
            f"camera {camera!r} has images from {counted(len(folders), 'folder')}, at different times: it counts as one"
            for camera, folders in names.several_folders.items()
        ],
    )
    print_sentences(
        console,
        [
            f"names of files of camera {camera!r} have {counted(len(words), 'word')} that may be cameras: "
            f"{_shown_words(words)}. If they are: "
            f"{command_line('ingest', 'FOLDER', '--pattern', pattern_of(words))}"
            for camera, words in names.several_words.items()
        ],
    )
    _note_events(console, names)
    _note_times(console, names, ambiguous_times=ambiguous_times)
    for folder in names.reread_folders:
        console.print(describe_reread(folder))
    for folder in names.earlier_folders:
        console.print(
            f"{printable(folder)} is named by the rules of an earlier version. "
            f"What today's would change: {command_line('ingest', '--dry-run', names=[folder])}"
        )


def _note_times(console: Console, names: NamePlan, *, ambiguous_times: int) -> None:
    if names.unread_times:
        console.print(
            f"{counted(names.unread_times, 'name holds', 'names hold')} a date or a number that may be two times "
            "(day or month first, a year of two digits, seconds or a counter); such a name is not read. To say which: "
            "--pattern or --scheme"
        )
    if ambiguous_times:
        console.print(
            f"{counted(ambiguous_times, 'time is', 'times are')} of an hour that happens twice, when clocks go back: "
            "the first is taken."
        )


def _shown_words(words: Sequence[str]) -> str:
    """The first words; a label of `indexer.domain.naming.columns` with what its signs mean."""
    shown = ", ".join(map(repr, words[:_SHOWN_WORDS])) + (", ..." if len(words) > _SHOWN_WORDS else "")
    return f"{shown}; * is any number" if any("*" in word for word in words) else shown


def _several_command(camera: HeldCamera, held: Sequence[HeldCamera] = ()) -> str:
    """The command that makes several cameras of one: by folder, or by the words in names.

    A folder with dates above that of the camera is not there under its own name. No wider one is proposed: all cameras
    below it would become one. If other cameras are held back for the same words, one command is for the folders of all,
    as the words of two folders would else be one camera. So it is where a pattern says a camera that has other folders.
    """
    if camera.pattern:
        return _apart_command(camera)
    folders = [folder_of_source(source) for source in camera.folders]
    are_there = all(map(os.path.isdir, folders))
    if camera.words:
        alike = {folder_of_source(other.folders[0]) for other in held if other.words == camera.words}
        common = os.path.commonpath(alike or folders)
        forms = {form for other in (camera, *held) if other.words == camera.words for form in other.forms}
        if len(alike) > 1 and common != os.sep and all(map(os.path.isdir, alike)):
            pattern = pattern_of(camera.words, below=_relative(alike, common), forms=forms)
            return _ingest_command(camera, "--pattern", pattern, names=[common])
        beside = {other.camera.rpartition("/")[2] for other in held if other.words == camera.words}
        behind = beside if len(beside) > 1 == len(alike) else ()
        pattern = pattern_of(camera.words, behind=behind, forms=forms if are_there else ())
        return _ingest_command(camera, "--pattern", pattern, names=folders[:1] if are_there else ["FOLDER"])
    if not are_there:
        return _ingest_command(camera, "--camera", "NAME", names=["FOLDER"])
    common = os.path.commonpath(folders)
    if common in {*folders, "/"}:
        return _ingest_command(camera, "--camera", "NAME", names=[folders[-1]])
    return _ingest_command(camera, "--camera-level", "1", names=[common])


def _apart_command(camera: HeldCamera) -> str:
    """The command by which cameras of a pattern get the name of their folder in front."""
    others = {folder for folder in map(folder_of_source, camera.folders) if not _lies_in(folder, camera.scopes)}
    folders = others.union(camera.scopes)
    common = os.path.commonpath(folders)
    if common == os.sep:  # as on two disks: only the new ones get a longer name
        folders, common = set(camera.scopes), os.path.dirname(os.path.commonpath(camera.scopes))
    if common == os.sep or not all(map(os.path.isdir, folders)):
        return _ingest_command(camera, "--pattern", "REGEX", names=["FOLDER"])
    pattern = pattern_below(camera.pattern, _relative(folders, common))
    return _ingest_command(camera, "--pattern", pattern, names=[common])


def _ingest_command(camera: HeldCamera, *options: str, names: Sequence[str]) -> str:
    """The command of an ingest that answers for a camera; videos are read with a folder for their frames alone."""
    frames = ("--frames", "FRAMES") if is_video_name(os.path.basename(camera.example)) else ()
    return command_line("ingest", *frames, *options, names=names)


def _lies_in(folder: str, folders: Iterable[str]) -> bool:
    return any(lies_at_or_below(folder, other) for other in folders)


def _relative(folders: Iterable[str], common: str) -> set[str]:
    """The folders relative to one above; the folder itself as an empty text."""
    return {"" if folder == common else os.path.relpath(folder, common) for folder in folders}


def _note_events(console: Console, names: NamePlan) -> None:
    """Says which new cameras may be events or days of one."""
    if names.single_image_cameras:
        shown = ", ".join(map(repr, names.single_image_cameras[:3]))
        have = counted(len(names.single_image_cameras), "camera has", "cameras have")
        console.print(
            f"{have} one file each ({shown}): if their names are numbers of events, say which camera it is with "
            f"{command_line('ingest', 'FOLDER', '--camera', 'NAME')} or --pattern"
        )
    if names.successive_cameras:
        shown = ", ".join(map(repr, names.successive_cameras[:3]))
        console.print(
            f"{counted(len(names.successive_cameras), 'new camera')} ({shown}) differ in numbers alone, and one begins "
            "when the other ends: if they are days or events of one camera, say which one it is with "
            f"{command_line('ingest', 'FOLDER', '--camera-level', 'N')} or --camera"
        )


def _note_missing_folders(console: Console, held: Sequence[HeldCamera]) -> None:
    """Prints the folders of held cameras that are not there: if one was moved, no question needs an answer."""
    shown = {read_folder(os.path.dirname(camera.example)).camera_folder for camera in held}
    sources = {source for camera in held for source in camera.folders if folder_of_source(source) not in shown}
    missing = {find_missing_folder(os.path.join(folder_of_source(source), "image")) for source in sources}
    for folder in sorted(folder for folder in missing if folder is not None)[:MAX_LISTED]:
        console.print(f"The folder {printable(folder)} is not there; {relocate_hint(folder)}")


def note_held_cameras(console: Console, names: NamePlan) -> None:
    """Prints the cameras that are held back, and how to answer whether each is one camera."""
    _note_missing_folders(console, names.held)
    for camera in names.held:
        reason = (
            f"their names or folders have {counted(len(camera.words), 'word')} that may be cameras "
            f"({_shown_words(camera.words)})"
            if camera.words
            else f"its images come from {counted(len(camera.folders), 'folder')}, and the pattern was given for "
            "only some of them"
            if camera.pattern
            else f"its images come from {counted(len(camera.folders), 'folder')} whose times overlap or are unknown, "
            "or which may be two places, or of which one is called as the names in the other say"
        )
        console.print(
            f"camera {camera.camera!r} is held back: it would get {counted(camera.files, 'file')}, and {reason}. "
            "Is it one camera, or several?"
        )
        list_files(console, [(folder, "one of its folders") for folder in camera.folders])
        console.print(
            f"  one: {command_line('camera', 'confirm', names=[camera.camera])}   several: "
            f"{_several_command(camera, names.held)}"
        )
