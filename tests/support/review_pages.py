"""Sessions of `review` on an index: without a server, or served to a browser."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.domain.descriptions import Limits
from indexer.execution import serial
from indexer.store.database import Database
from indexer.web.server.events import Broadcast
from indexer.workflows.context import Clock, ComparisonContext
from indexer.workflows.review_server.review import open_review
from indexer.workflows.review_server.service import IndexReview, ReviewOptions
from tests.support.review_servers import Served, running


@dataclass
class Session:
    """A session, and what it published and failed to do."""

    review: IndexReview
    published: list[tuple[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def last(self, event: str) -> Any:
        """The last message of that name."""
        return [data for name, data in self.published if name == event][-1]


@contextmanager
def session(
    database: Database, clock: Clock, state_folder: Path, *, events: Broadcast | None = None, **options: Any
) -> Iterator[Session]:
    """A session that reads files in this process."""
    published, failures = list[tuple[str, Any]](), list[str]()

    def publish(event: str, data: Any) -> None:
        published.append((event, data))
        if events is not None:
            events.publish(event, data)

    with serial() as executor:
        context = ComparisonContext(database, executor, Limits(), clock)
        with open_review(
            context,
            ReviewOptions(**options),
            guarded_executor=executor,
            state_folder=str(state_folder),
            publish=publish,
            failed=failures.append,
        ) as review:
            yield Session(review, published, failures)


@contextmanager
def served_session(
    database: Database, clock: Clock, state_folder: Path, *, port: int = 0, **options: Any
) -> Iterator[tuple[Session, Served]]:
    """A session with its server, until the end of the block."""
    with ExitStack() as stack:
        events = Broadcast()
        opened = stack.enter_context(session(database, clock, state_folder, events=events, **options))
        served = stack.enter_context(
            running(opened.review, events=events, port=port, read_only=opened.review.options.read_only)
        )
        yield opened, served
