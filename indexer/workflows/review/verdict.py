"""verdict: a person decides whether two images of one camera show the same.

It promises that a file of verdicts is recorded whole or not at all, and that decisions that rest on a judged pair are
superseded in the same transaction, so that the next `compare` decides as if the verdict had always existed. Images that
are not present keep their decisions. Verdicts that contradict each other are reported and stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from indexer.domain.csv_files import BadLine, VerdictLine, parse_verdict_lines
from indexer.domain.decisions import ordered_pair
from indexer.domain.images import ImageState
from indexer.domain.removal import RemovalState
from indexer.domain.verdicts import (
    Contradiction,
    Pair,
    VerdictValue,
    contradictions,
    images_to_redecide,
    is_storable_text,
)
from indexer.errors import IndexerError, VerdictError
from indexer.escaping import command_line, printable
from indexer.files.given_files import read_user_list
from indexer.store import cameras, decisions, image_lookup, pins, removals, verdicts
from indexer.store.columns import path_from_text
from indexer.store.database import Database, Session
from indexer.store.verdicts import JudgedImage, JudgedPair
from indexer.workflows.context import Clock
from indexer.workflows.runs.run import ActiveRun, record_run


@dataclass(frozen=True)
class VerdictRequest:
    """A verdict to record, on two images of the index."""

    images: tuple[JudgedImage, JudgedImage]
    verdict: VerdictValue
    by: str
    note: str | None

    @property
    def pair(self) -> Pair:
        """The ids of the two images, the smaller first."""
        return ordered_pair(*(image.id for image in self.images))


@dataclass(frozen=True)
class AbsentImage:
    """A judged image that is not compared now; `restorable` if it is in quarantine."""

    path: str
    state: ImageState
    restorable: bool


@dataclass
class VerdictReport:
    """What was done with verdicts: `recorded` are new, `replaced` those that the new ones supersede, `unchanged` were
    recorded before, `withdrawn` were undone.

    `both_pinned` are those that say `same` of two pinned images, which are both kept whatever was judged. `away` are
    the judged images that are not compared now. `contradictions` are all those in the cameras of these images.
    `refused` says what is wrong with which line of a file; if it is not empty, nothing was written.
    """

    recorded: list[JudgedPair] = field(default_factory=list)
    replaced: list[JudgedPair] = field(default_factory=list)
    unchanged: list[JudgedPair] = field(default_factory=list)
    withdrawn: list[JudgedPair] = field(default_factory=list)
    both_pinned: list[JudgedPair] = field(default_factory=list)
    away: list[AbsentImage] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, Any]:
        """The numbers, as they are stored with the run."""
        names = ("recorded", "replaced", "unchanged", "withdrawn", "contradictions")
        return {name: len(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class VerdictList:
    """All current verdicts, and where they contradict each other."""

    verdicts: list[JudgedPair]
    contradictions: list[Contradiction]


def list_verdicts(database: Database) -> VerdictList:
    """The current verdicts of all cameras."""
    with database.read() as session:
        return VerdictList(verdicts.list_verdicts(session), list_contradictions(session))


def list_contradictions(session: Session) -> list[Contradiction]:
    """Where the current verdicts of all cameras contradict each other, by camera."""
    judgements = verdicts.list_judgements_by_camera(session)
    return [
        contradiction
        for camera_id in cameras.list_cameras(session).values()
        for contradiction in contradictions(judgements.get(camera_id, {}))
    ]


def set_verdict(
    database: Database, name_a: str, name_b: str, verdict: VerdictValue, *, by: str, note: str | None, clock: Clock
) -> VerdictReport:
    """Records a verdict on two images named by path or number.

    Raises
    ------
    ImageError
        If an image is not in the index.
    VerdictError
        If the two are one image or of two cameras, or if `by` is empty or a text cannot be stored.
    """
    with database.read() as session:
        request = _make_request(session, VerdictLine(0, name_a, name_b, verdict, by, note), by=by, note=note)
    arguments = {"images": list(request.pair), "verdict": verdict, "by": request.by}
    return _record_verdicts(database, [request], arguments=arguments, clock=clock)


def import_verdicts(database: Database, file: str, *, by: str, note: str | None, clock: Clock) -> VerdictReport:
    """Records all verdicts of a CSV file, or none; `by` and `note` are for lines without their own.

    Lines that cannot be followed are in `refused` of the report. Raises `VerdictError` if the file cannot be read, is
    malformed or holds no verdict.
    """
    try:
        lines = parse_verdict_lines(read_user_list(file))
    except VerdictError as problem:
        raise VerdictError(f"{file!r}: {problem}") from None
    except OSError as problem:
        raise VerdictError(f"{file!r} cannot be read: {problem.strerror}; name a CSV file") from problem
    if not lines:
        raise VerdictError(f"{file!r} has no verdict below its first line; add some, one per line")
    with database.read() as session:
        requests, refused = _make_requests(session, lines, by=by, note=note)
    if refused:
        return VerdictReport(refused=[(f"line {line.number}", line.problem) for line in refused])
    arguments = {"from": printable(file), "lines": len(requests)}
    return _record_verdicts(database, requests, arguments=arguments, clock=clock)


def undo_verdict(database: Database, name_a: str, name_b: str, *, clock: Clock) -> VerdictReport:
    """Withdraws the current verdict on a pair; raises `VerdictError` if there is none."""
    with database.read() as session:
        images = _get_images(session, name_a, name_b)
        pair = ordered_pair(*(image.id for image in images))
        current = verdicts.find_verdict(session, pair)
    if current is None:
        paths = " and ".join(repr(image.path) for image in images)
        raise VerdictError(f"there is no verdict on {paths}; to list all verdicts: {command_line('verdict', 'list')}")
    report = VerdictReport(withdrawn=[current])
    with record_run(database, "verdict undo", arguments={"images": list(pair)}, clock=clock) as run:
        with database.write() as session:
            supersede_verdict(session, pair, at=clock())
            report.contradictions = _list_contradictions_of(session, [images])
        run.counts = report.counts
    return report


def _make_requests(
    session: Session, lines: Sequence[VerdictLine | BadLine], *, by: str, note: str | None
) -> tuple[list[VerdictRequest], list[BadLine]]:
    """The requests of the lines of a file, and the lines that cannot be followed."""
    requests: list[VerdictRequest] = []
    refused: list[BadLine] = []
    first_by_pair: dict[Pair, tuple[VerdictValue, int]] = {}
    for line in lines:
        if isinstance(line, BadLine):
            refused.append(line)
            continue
        try:
            request = _make_request(session, line, by=by, note=note)
        except IndexerError as problem:
            refused.append(BadLine(line.number, str(problem)))
            continue
        first_verdict, first_line = first_by_pair.setdefault(request.pair, (request.verdict, line.number))
        if first_verdict != request.verdict:
            refused.append(
                BadLine(
                    line.number,
                    f"it says {request.verdict} of the pair of which line {first_line} says {first_verdict}",
                )
            )
        requests.append(request)
    return requests, refused


def _make_request(session: Session, line: VerdictLine, *, by: str, note: str | None) -> VerdictRequest:
    """The request of one line; raises `VerdictError` or `ImageError` if it cannot be followed."""
    by, note = (line.by or by).strip(), line.note or note
    if not by:
        raise VerdictError("the name of the person is missing; give it with: --by NAME")
    for text in (by, note or ""):
        if not is_storable_text(text):
            raise VerdictError(f"{text!r} is not UTF-8 text; give the name and the note in UTF-8")
    images = _get_images(session, line.image_a, line.image_b)
    for image, path in zip(images, (line.path_a, line.path_b), strict=True):
        if path is not None and _parse_path(path) != image.path:
            raise VerdictError(
                f"image {image.id} is {image.path!r} and not {path!r}: the file was made from another index"
            )
    for image, content_hash in zip(images, (line.hash_a, line.hash_b), strict=True):
        if content_hash is not None and content_hash != image.content_hash:
            raise VerdictError(f"image {image.id} has other bytes: the file was made from another index")
    return VerdictRequest(images, line.verdict, by, note)


def _get_images(session: Session, name_a: str, name_b: str) -> tuple[JudgedImage, JudgedImage]:
    """Two images of one camera; raises `VerdictError` if they are one image or of two cameras."""
    ids = [image_lookup.get_image_id(session, _parse_path(name)) for name in (name_a, name_b)]
    if ids[0] == ids[1]:
        raise VerdictError(f"{name_a!r} and {name_b!r} are the same image, {ids[0]}; name two images")
    image_a, image_b = verdicts.get_images(session, (ids[0], ids[1]))
    if image_a.camera_id != image_b.camera_id:
        raise VerdictError(
            f"{image_a.path!r} is of camera {image_a.camera!r} and {image_b.path!r} of {image_b.camera!r}: "
            "only images of one camera are compared; if a name is wrong, type: "
            f"{command_line('ingest', 'PATH', '--camera', 'NAME')}"
        )
    return image_a, image_b


def _parse_path(text: str) -> str:
    """The path that a text means. Files of verdicts hold paths as the index stores them, and some of these are URIs."""
    try:
        path = path_from_text(text)
    except ValueError:  # a malformed URI
        return text
    return text if "\0" in path else path


def _record_verdicts(
    database: Database, requests: Sequence[VerdictRequest], *, arguments: dict[str, Any], clock: Clock
) -> VerdictReport:
    report = VerdictReport()
    with record_run(database, "verdict", arguments=arguments, clock=clock) as run:
        with database.write() as session:
            for request in requests:
                _set_verdict(session, request, report, run=run, at=clock())
            report.both_pinned = _list_both_pinned(session, [*report.recorded, *report.unchanged])
            report.away = _absent_images(session, requests)
            report.contradictions = _list_contradictions_of(session, [request.images for request in requests])
        run.counts = report.counts
    return report


def _set_verdict(
    session: Session, request: VerdictRequest, report: VerdictReport, *, run: ActiveRun, at: datetime
) -> None:
    """Records one verdict, unless it is the current one."""
    current = verdicts.find_verdict(session, request.pair)
    if current is not None and current.verdict == request.verdict:
        report.unchanged.append(current)
        return
    if current is not None:
        report.replaced.append(current)
    supersede_verdict(session, request.pair, at=at)
    verdicts.add_verdict(session, request.pair, request.verdict, by=request.by, note=request.note, at=at, run_id=run.id)
    recorded = verdicts.find_verdict(session, request.pair)
    assert recorded is not None
    report.recorded.append(recorded)


def supersede_verdict(session: Session, pair: Pair, *, at: datetime) -> None:
    """Withdraws the current verdict on a pair, if there is one, and supersedes the decisions that rest on the pair."""
    verdicts.withdraw_verdict(session, pair, at=at)
    decisions.supersede(session, images_to_redecide(pair, decisions.list_image_decisions(session, pair)), at=at)


def _list_both_pinned(session: Session, judged: Sequence[JudgedPair]) -> list[JudgedPair]:
    """Those of the pairs that were judged `same` although both images are pinned."""
    same = [pair for pair in judged if pair.verdict == "same"]
    pinned = pins.list_always_kept(session, sorted({image_id for pair in same for image_id in pair.pair}))
    return [pair for pair in same if {*pair.pair} <= pinned]


def _absent_images(session: Session, requests: Sequence[VerdictRequest]) -> list[AbsentImage]:
    """The images of requests that are not compared now, each once."""
    absent = {
        image.id: image for request in requests for image in request.images if image.state is not ImageState.READY
    }
    return [AbsentImage(image.path, image.state, _is_restorable(session, image)) for image in absent.values()]


def _is_restorable(session: Session, image: JudgedImage) -> bool:
    if image.state is not ImageState.REMOVED:
        return False
    return any(removal.state is RemovalState.QUARANTINED for removal in removals.list_for_image(session, image.id))


def _list_contradictions_of(session: Session, images: Sequence[tuple[JudgedImage, JudgedImage]]) -> list[Contradiction]:
    """The contradictions in the cameras of some pairs."""
    camera_ids = dict.fromkeys(image.camera_id for pair in images for image in pair)
    return [
        contradiction
        for camera_id in camera_ids
        for contradiction in contradictions(verdicts.list_judgements(session, camera_id))
    ]
