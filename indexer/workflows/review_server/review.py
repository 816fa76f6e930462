"""review: opens a session in which people judge pairs in a browser.

It promises that

- the run of the session ends with it;
- decisions that are due are made before that; and
- verdicts that waited when an earlier session was killed are recorded.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from indexer.execution import ParallelMap
from indexer.files.pending_entries import no_pending_entries, open_pending_entries
from indexer.store import timezones
from indexer.store.index_identity import get_index_id
from indexer.workflows.context import ComparisonContext
from indexer.workflows.report.pictures import LocalTimes
from indexer.workflows.report.site import make_site
from indexer.workflows.review_server.pair_pages import PairPages
from indexer.workflows.review_server.queue import ReviewQueue, list_queue
from indexer.workflows.review_server.recorder import VerdictRecorder
from indexer.workflows.review_server.service import IndexReview, ReviewOptions
from indexer.workflows.review_server.updater import DecisionUpdater

Publish = Callable[[str, Mapping[str, Any]], None]


@dataclass
class ReviewReport:
    """What a session did. `address`: of the page, without the token; None if there was nothing to review. `run`: the
    number of its run; None if it wrote nothing."""

    pairs: int
    address: str | None = None
    run: int | None = None
    recorded: int = 0
    withdrawn: int = 0
    waiting: int = 0


@contextmanager
def open_review(
    context: ComparisonContext,
    options: ReviewOptions,
    *,
    guarded_executor: ParallelMap,
    state_folder: str,
    publish: Publish,
    failed: Callable[[str], None],
    local: bool = False,
) -> Iterator[IndexReview]:
    """A session until the end of the block, with its queue filled.

    `guarded_executor` makes pictures from files. `state_folder`: where verdicts wait if the index is on a server.
    `publish` sends a message to all pages; `failed` is called with a sentence for the terminal.

    Raises
    ------
    CameraError
        If there is no such camera.
    FolderError
        If another review of this index that records verdicts is open on this machine.
    """
    database = context.database
    queue = ReviewQueue(list_queue(database, order=options.order, camera=options.camera))
    with database.read() as session:
        local_times = LocalTimes(timezones.list_timezones(session), local)
        index_id = get_index_id(session)
    site = make_site(context, borderline=len(queue.pairs), paths=True)
    path = f"{database.path}.review.jsonl" if database.path else f"{state_folder}/review-{index_id}.jsonl"
    with ExitStack() as stack:
        pending = stack.enter_context(no_pending_entries() if options.read_only else open_pending_entries(path))
        recorder = VerdictRecorder(database, pending, camera=options.camera, clock=context.clock)
        pages = PairPages(database, guarded_executor, context.limits, local_times, site)
        updater = DecisionUpdater(
            context, recorder, publish=publish, applied=lambda applied: review.note_applied(applied), failed=failed
        )
        review = IndexReview(database, options, site, queue, pages, recorder, updater, publish, context.clock)
        stack.callback(review.end)
        if queue.pairs:
            stack.enter_context(pages.workers())
        if not options.read_only:
            updater.start()
            if pending.waiting:
                updater.record_soon()
        yield review
