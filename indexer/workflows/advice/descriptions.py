"""Findings in words: what is wrong with a camera, by which numbers, and what a person should do."""

from collections.abc import Callable
from dataclasses import dataclass

from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.domain.plurals import counted, describe_duration
from indexer.escaping import command_line

_BLACK = 12.0  # of 255, mean level


@dataclass(frozen=True)
class Description:
    """A finding in words: `what` is wrong, and the `advice`, with the command to type if there is one.

    `commands`: those to type one after the other, if there are several.
    """

    what: str
    advice: str
    commands: tuple[str, ...] = ()


def describe_finding(finding: CameraFinding, camera: str) -> Description:
    """The finding in words; `camera` is the name of its camera."""
    return _DESCRIPTIONS[finding.kind](finding, camera)


def _moved(finding: CameraFinding, camera: str) -> Description:
    evidence = finding.evidence
    right, down = float(evidence["right_px"]), float(evidence["down_px"])
    parts = [
        f"{abs(right):g} px {'right' if right > 0 else 'left'}" if abs(right) >= 1 else "",
        f"{abs(down):g} px {'down' if down > 0 else 'up'}" if abs(down) >= 1 else "",
        "turned" if abs(float(evidence["turn_px"])) >= 1.5 else "",
        "zoomed" if abs(float(evidence["zoom_px"])) >= 1.5 else "",
    ]
    what = (
        f"The view lies elsewhere: {', '.join(filter(None, parts)) or 'a little'} (of a frame 320 wide), in "
        f"{counted(int(evidence['frames_since']), 'frame')} since then, and not in {evidence['frames_before']} before."
    )
    ingest = command_line("ingest", "FOLDER", "--camera", f"{camera}-2")
    return Description(
        what,
        f"Fasten the camera. Frames before and after are not duplicates of each other; to name the new view: {ingest}",
    )


def _sways(finding: CameraFinding, camera: str) -> Description:
    evidence = finding.evidence
    what = f"The view sways by {evidence['spread_px']} px {evidence['direction']} (of a frame 320 wide)."
    limit = f"{evidence.get('limit', 2000):g}"
    sweep = command_line("sweep", "--camera", camera, "--max-score", limit)
    if "kept" not in evidence:
        return Description(what, f"Stiffen the mount. What a higher limit would keep: {sweep}")
    kept = f"{evidence['kept']} of {_counted(finding, 'images')} are kept"
    if evidence["kept"] == evidence["kept_with"]:
        return Description(what, f"Stiffen the mount. {kept}; twice the limit would not change that.")
    return Description(
        what, f"Stiffen the mount. {kept}; with the limit {limit} it would be {evidence['kept_with']}: {sweep}"
    )


def _blurred(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    what = f"Only {float(evidence['detail_share']):.0%} of the usual detail is left, in {_counted(finding, 'frames')}."
    return Description(what, "Clean the lens, or set the focus again. Fog and heavy rain look the same.")


def _dirty(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    what = (
        f"In part of the view ({_places(finding)}) only {float(evidence['detail_share']):.0%} of the usual detail is "
        f"left, in {_counted(finding, 'frames')}; the rest is clear."
    )
    return Description(what, "Clean the lens: a drop, dirt or a web.")


def _blocked(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    is_part = "covered_share" in evidence
    share = float(evidence["covered_share" if is_part else "main_share"])
    what = f"Something fills {'at least ' * is_part}{share:.0%} of the view, in {_counted(finding, 'frames')}."
    if float(evidence.get("brightness", _BLACK)) < _BLACK:
        what = f"The view is black in {_counted(finding, 'frames')}; at these hours of other days it is not."
        return Description(what, "Take away what covers the lens, or see whether a lamp failed.")
    return Description(what, "Take it away, or move the camera to where nothing stands before it.")


def _frozen(finding: CameraFinding, _camera: str) -> Description:
    what = f"{_counted(finding, 'images')} show the very same picture, to the noise: it stands still."
    return Description(what, "Restart the camera or its encoder.")


def _silent(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    silent, usual = (describe_duration(float(evidence[name])) for name in ("silent_s", "usual_interval_s"))
    what = f"No image for {silent}; it usually takes one each {usual}."
    return Description(what, "Look after its power and its network.")


def _clock(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    if "jump_s" in evidence:
        back = describe_duration(float(evidence["jump_s"]))
        what = f"The clock was set: the times go back by {back}, though the files were written one after the other."
        return Description(what, "Set the clock of the camera, best by NTP.")
    hours = int(evidence["hours"])
    others = "those in EXIF, more than usual" if "exif" in evidence else "the times at which the files were written"
    has_summer_time = "summer_time" in evidence
    most = "up to " if has_summer_time else ""
    what = (
        f"The times in the names of {_counted(finding, 'images')} are {most}{counted(abs(hours), 'hour')} "
        f"{'ahead of' if hours > 0 else 'behind'} {others}."
    )
    if evidence["all"]:
        timezone = command_line("ingest", "FOLDER", "--timezone", "ZONE")
        own = "a time zone of their own, which has summer time" if has_summer_time else "a time zone of their own"
        return Description(what, f"All are: the names are in {own}. Name it: {timezone}")
    return Description(what, "Set the clock of the camera, best by NTP.")


def _glare(finding: CameraFinding, camera: str) -> Description:
    evidence = finding.evidence
    what = (
        f"At {evidence['hours_utc']} h (UTC) on {_counted(finding, 'days')} up to "
        f"{float(evidence['bright_share']):.0%} of a part of the view is white ({_places(finding)})."
    )
    advice = "Shade the camera, or turn it down by some degrees: nothing is seen there at these hours."
    if "kept" not in evidence:
        return Description(what, advice)
    if evidence["kept"] == evidence["kept_with"]:
        return Description(what, f"{advice} Ignoring it would not change how many images are kept.")
    return Description(
        what,
        f"{advice} Ignoring it at all hours keeps {evidence['kept_with']} instead of {evidence['kept']} of "
        f"{_counted(finding, 'images')}:",
        _ignore_commands(finding, camera),
    )


def _too_dark(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    what = f"At {evidence['hours_utc']} h (UTC) the mean level is {evidence['brightness']} of 255."
    return Description(what, "Give it more light, or infrared light: nothing can be told apart at these hours.")


def _flicker(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    what = (
        f"From frame to frame the brightness goes up and down by {evidence['levels']} levels "
        f"({float(evidence['sign_changes']):.0%} of the time), while nothing else changes."
    )
    return Description(
        what,
        "A lamp flickers, or the exposure hunts: fix the shutter to 1/50 or 1/100 s (1/60 or 1/120 s at 60 Hz).",
    )


def _light_only(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    what = (
        f"Of what changes, {float(evidence['light_share']):.0%} is light, "
        f"{float(evidence['things_share']):.0%} things, "
        f"and {float(evidence['unclear_share']):.0%} cannot be told ({_counted(finding, 'changes')})."
    )
    return Description(
        what, "Nothing but light changes here: turn the camera to where things pass, or take fewer images."
    )


def _restless_area(finding: CameraFinding, camera: str) -> Description:
    evidence = finding.evidence
    what = (
        f"{evidence['decided_pairs']} of {evidence['pairs']} pairs of kept images differ only in "
        f"{float(evidence['frame_share']):.1%} of the view ({_places(finding)}): a clock, a tree, a flag, or a gate."
    )
    larger = int(evidence.get("larger_pairs", 0))
    if larger:
        what += f" Of {counted(larger, 'larger change')} {evidence['touching_pairs']} touched it, too."
    return Description(
        what,
        f"Look at it first. Ignoring it keeps {evidence['kept_without']} instead of {evidence['kept']} of "
        f"{_counted(finding, 'images')}:",
        _ignore_commands(finding, camera),
    )


def _ignore_commands(finding: CameraFinding, camera: str) -> tuple[str, ...]:
    """The commands that make a profile which ignores the regions of the finding, too, and give it to the camera."""
    evidence = finding.evidence
    ignored_already = filter(None, str(evidence.get("ignored_already", "")).split(";"))
    regions = [*ignored_already, *(",".join(f"{number:g}" for number in region) for region in finding.regions)]
    ignores = [word for region in regions for word in ("--ignore", region)]
    name = str(evidence["name"])
    make = command_line("profile", "make", name, "--base", str(evidence["base"]), *ignores)
    return make, command_line("profile", "use", name, "--camera", camera), command_line("compare")


def _interval(finding: CameraFinding, _camera: str) -> Description:
    evidence = finding.evidence
    interval = f"one each {evidence['interval_s']} s"
    if "kept_share" in evidence:
        what = (
            f"{float(evidence['kept_share']):.1%} of {evidence['images']} images are kept, at {interval}, and in "
            f"{counted(int(evidence['pairs']), 'pair')} of neighbours hardly anything is there on both."
        )
        return Description(what, "Take images more often: what passes comes and goes between two of them.")
    what = f"{float(evidence['duplicate_share']):.1%} of {evidence['images']} images are duplicates, at {interval}."
    if evidence["longer_interval_s"] == evidence["interval_s"]:
        advice = "Take an image less often if short visits do not matter: half as many lose over a tenth of the scenes."
        return Description(what, advice)
    return Description(
        what,
        f"Take an image less often: one each {evidence['longer_interval_s']} s would show {evidence['scenes_left']} of "
        f"{counted(int(evidence['scenes']), 'kept scene')}.",
    )


def _places(finding: CameraFinding) -> str:
    """Where the regions lie, in words: upper left, centre, lower right."""
    names = []
    for left, top, width, height in finding.regions:
        x, y = left + width / 2, top + height / 2
        row = "upper" if y < 100 / 3 else "lower" if y > 200 / 3 else ""
        column = "left" if x < 100 / 3 else "right" if x > 200 / 3 else ""
        names.append(" ".join(filter(None, (row, column))) or "centre")
    return ", ".join(dict.fromkeys(names))


def _counted(finding: CameraFinding, key: str) -> str:
    """A number of the evidence with its noun, which is its key: 1 frame, 2 frames."""
    return counted(int(finding.evidence[key]), key.removesuffix("s"))


_DESCRIPTIONS: dict[Kind, Callable[[CameraFinding, str], Description]] = {
    Kind.MOVED: _moved,
    Kind.SWAYS: _sways,
    Kind.BLURRED: _blurred,
    Kind.DIRTY: _dirty,
    Kind.BLOCKED: _blocked,
    Kind.FROZEN: _frozen,
    Kind.SILENT: _silent,
    Kind.CLOCK: _clock,
    Kind.GLARE: _glare,
    Kind.TOO_DARK: _too_dark,
    Kind.FLICKER: _flicker,
    Kind.LIGHT_ONLY: _light_only,
    Kind.RESTLESS_AREA: _restless_area,
    Kind.INTERVAL: _interval,
}
"""What is wrong in a sentence, and what a person should do; each takes the finding and the name of the camera."""
