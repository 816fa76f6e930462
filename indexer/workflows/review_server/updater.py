"""Decides cameras again after verdicts, in a thread of its own, and records verdicts that wait for the index.

It promises that a camera is decided soon after the last of several quick verdicts, by the same rule as `compare`, and
that what changed is published. While the index cannot be written it tries again every second.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from indexer.errors import DatabaseError, IndexerError, IndexInUseError
from indexer.workflows.context import ComparisonContext
from indexer.workflows.review.judging import AppliedChange
from indexer.workflows.review_server.recorder import VerdictRecorder

if TYPE_CHECKING:
    from indexer.workflows.review_server.deciding import CameraDecisions

DELAY_S = 0.3
_RETRY_S = 1.0

Publish = Callable[[str, Mapping[str, Any]], None]


class DecisionUpdater:
    """Compares cameras in the background. `applied` is called with changes that had waited and are made now; `failed`
    with a sentence about what cannot be done."""

    def __init__(
        self,
        context: ComparisonContext,
        recorder: VerdictRecorder,
        *,
        publish: Publish,
        applied: Callable[[Sequence[AppliedChange]], None],
        failed: Callable[[str], None],
    ) -> None:
        self._context, self._recorder = context, recorder
        self._publish, self._applied, self._failed = publish, applied, failed
        self._decisions: CameraDecisions | None = None
        self._due = dict[str, None]()
        self._lock = threading.Lock()
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="compare", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finishes what is due, and ends; nothing if it never began."""
        self._stopped.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def compare_soon(self, cameras_due: Sequence[str]) -> None:
        """Lets these cameras be decided again."""
        with self._lock:
            self._due |= dict.fromkeys(cameras_due)
        self._wake.set()

    def record_soon(self) -> None:
        """Lets the verdicts that wait be recorded as soon as the index is free."""
        self._wake.set()

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self._stopped.wait(DELAY_S)
            is_last = self._stopped.is_set()
            try:
                is_free = self._do_what_is_due()
            except IndexerError as problem:
                self._failed(str(problem))
                is_free = True
            except Exception as problem:  # this thread must go on: verdicts wait for it
                self._failed(f"unexpected: {type(problem).__name__}: {problem}")
                is_free = True
            if is_last:
                break
            if not is_free:
                self._stopped.wait(_RETRY_S)
                self._wake.set()
        if self._decisions is not None:
            self._decisions.close()

    def _do_what_is_due(self) -> bool:
        """Whether all was done; False if the index cannot be written now."""
        while True:
            if self._recorder.waiting and not self._record_waiting():
                return False
            with self._lock:
                camera = next(iter(self._due), None)
                self._due.pop(camera or "", None)
            if camera is None:
                return not self._recorder.waiting
            try:
                self._publish("decisions", self._decide(camera))
            except DatabaseError as problem:
                with self._lock:
                    self._due[camera] = None
                holder = problem.holder if isinstance(problem, IndexInUseError) else None
                self._publish("busy", {"holder": holder, "problem": str(problem)})
                return False

    def _decide(self, camera: str) -> Mapping[str, Any]:
        if self._decisions is None:
            from indexer.workflows.review_server.deciding import CameraDecisions  # here, as it loads the matcher

            self._decisions = CameraDecisions(self._context, self._recorder)
        return self._decisions.decide(camera)

    def _record_waiting(self) -> bool:
        """Records the verdicts that wait; False if some must wait on."""
        applied, problems = self._recorder.record_waiting()
        for problem in problems:
            self._failed(problem)
            self._publish("refused", {"problem": problem})
        self._applied(applied)
        with self._lock:
            self._due |= dict.fromkeys(change.camera for change in applied)
        self._publish("waiting", {"waiting": self._recorder.waiting})
        return not self._recorder.waiting
