"""Exactly the given files are taken in, in a run that is in progress: nothing else is looked for."""

from indexer.domain.descriptions import Limits
from indexer.execution import local_executor
from indexer.files.walking import Candidate
from indexer.workflows.ingest.discovery import request_of_files
from indexer.workflows.ingest.ingest import ingest_files
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.runs.run import open_run
from tests.support.index import CAR, Index, name, picture


def candidate(index: Index, file: str) -> Candidate:
    """A file of the folder as the walk would find it."""
    path = index.folder / file
    status = path.stat()
    return Candidate(str(path), str(index.folder), status.st_size, status.st_mtime_ns)


def take_in(index: Index, *files: str) -> IngestReport:
    """Ingests these files in one batch of a long run."""
    report = IngestReport()
    request = request_of_files([candidate(index, file) for file in files])
    with (
        local_executor(1) as executor,
        open_run(index.database, "watch", arguments={}, clock=index.clock, by_camera=True) as run,
        run.record_batch() as batch,
    ):
        ingest_files(
            index.database,
            request,
            run=batch,
            report=report,
            executor=executor,
            limits=Limits(),
            clock=index.clock,
        )
    return report


def test_given_files_alone(index: Index) -> None:
    """Files that are given are taken in with camera and time; others beside them stay unknown."""
    for minute in range(3):
        index.put(name(minute), picture(stamp=minute))
    report = take_in(index, name(0), name(2))
    assert (report.outcomes, report.missing) == ({"added": 2}, 0)
    assert index.states() == [(name(0), "ready", None), (name(2), "ready", None)]
    assert index.rows("SELECT command FROM runs") == [("watch",)]
    assert index.rows("SELECT COUNT(*) FROM naming_rules") == [(0,)]


def test_nothing_is_missed(index: Index) -> None:
    """A known file of the same folder that is gone stays as it is; a given file that is known is unchanged."""
    for minute in range(2):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    (index.folder / name(0)).unlink()
    index.put(name(2), picture(stamp=2))
    report = take_in(index, name(1), name(2))
    assert (report.outcomes, report.missing) == ({"unchanged": 1, "added": 1}, 0)
    assert [state for _, state, _ in index.states()] == ["ready", "ready", "ready"]


def test_changed_bytes_are_a_new_row(index: Index) -> None:
    """A given file whose bytes changed gets a row of its own, as in an ingest of its folder."""
    index.put(name(0), picture())
    index.ingest()
    index.put(name(0), picture(CAR))
    assert take_in(index, name(0)).outcomes == {"changed": 1}
    assert index.states() == [(name(0), "missing", "replaced"), (name(0), "ready", None)]
