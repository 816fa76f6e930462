"""The forms of documents: they fit the reports that they are built from, and forget nothing of them."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypedDict

import pytest

from indexer.cli.demonstration import DemoResult
from indexer.cli.effective_settings import EffectiveSettings
from indexer.cli.json_documents.by_command import DOCUMENTS
from indexer.cli.json_documents.form import From, Time, document_keys, to_document
from indexer.cli.shell_completion import Completion
from indexer.domain.naming.rules import NamingRule
from indexer.domain.naming.schemes import Scheme
from indexer.domain.removal import Plan
from indexer.store.audit_queries import Audit
from indexer.store.image_details import ImageDetails
from indexer.store.profiles import StoredProfile
from indexer.store.reader_roles import Reader
from indexer.workflows.admin.backup import BackupReport
from indexer.workflows.admin.camera import CameraListing, Confirmation
from indexer.workflows.admin.configured_run import ConfiguredRun
from indexer.workflows.admin.copy_index import CopyReport
from indexer.workflows.admin.forget import ForgetPlan, ForgetReport
from indexer.workflows.admin.health import CheckReport, UpgradeReport
from indexer.workflows.admin.profile import MadeProfile, ProfileUse
from indexer.workflows.admin.shrink import ShrinkPlan, ShrinkReport
from indexer.workflows.admin.status import Status
from indexer.workflows.advice.advise import AdviceReport
from indexer.workflows.advice.listing import Dismissal, FindingList
from indexer.workflows.advice.picture import CameraPicture
from indexer.workflows.compare.compare import CompareReport
from indexer.workflows.export.export import ExportReport
from indexer.workflows.ingest.outcomes import IngestOutcome, IngestReport
from indexer.workflows.ingest.preview import IngestPreview
from indexer.workflows.record.outcomes import RecordReport
from indexer.workflows.removal.adopt import AdoptReport
from indexer.workflows.removal.prune import PruneReport
from indexer.workflows.removal.purge import PurgePlan, PurgeReport
from indexer.workflows.removal.recover import RecoverReport
from indexer.workflows.removal.relocate import RelocationPlan, RelocationReport
from indexer.workflows.removal.restore import RestorePlan, RestoreReport
from indexer.workflows.report.report import ReportResult
from indexer.workflows.review.explain import PairDetails
from indexer.workflows.review.moment import MomentDetails
from indexer.workflows.review.pair_picture import Illustration
from indexer.workflows.review.pin import PinList, PinReport
from indexer.workflows.review.verdict import VerdictList, VerdictReport
from indexer.workflows.review_server.review import ReviewReport
from indexer.workflows.tuning.evaluate import EvaluationReport
from indexer.workflows.tuning.sweep import SweepReport
from indexer.workflows.watch.outcomes import WatchReport
from tests.support.json_forms import class_problems, value_problems

REPORTS: dict[str, Any] = {
    "run": ConfiguredRun,
    "config completion": Completion,
    "export": ExportReport,
    "config show": EffectiveSettings,
    "ingest": IngestReport,
    "ingest --dry-run": IngestPreview,
    "watch": WatchReport,
    "record": RecordReport,
    "compare": CompareReport,
    "prune": PruneReport,
    "prune --dry-run": Plan,
    "restore": RestoreReport,
    "restore --dry-run": RestorePlan,
    "rescue": RestoreReport,
    "recover": RecoverReport,
    "purge": PurgeReport,
    "purge --dry-run": PurgePlan,
    "status": Status,
    "advise": AdviceReport,
    "advise list": FindingList,
    "advise dismiss": Dismissal,
    "advise picture": CameraPicture,
    "explain A": ImageDetails,
    "explain A B": PairDetails,
    "explain --picture": Illustration,
    "explain --at": MomentDetails,
    "verdict": VerdictReport,
    "verdict list": VerdictList,
    "pin": PinReport,
    "pin list": PinList,
    "unpin": PinReport,
    "relocate": RelocationReport,
    "relocate --dry-run": RelocationPlan,
    "forget": ForgetReport,
    "forget --dry-run": ForgetPlan,
    "sweep": SweepReport,
    "evaluate": EvaluationReport,
    "report": ReportResult,
    "review": ReviewReport,
    "audit": list[Audit],
    "demo": DemoResult,
    "profile list": list[StoredProfile],
    "profile show": StoredProfile,
    "profile make": MadeProfile,
    "profile use": ProfileUse,
    "camera list": list[CameraListing],
    "camera rules": list[NamingRule],
    "camera schemes": list[Scheme],
    "camera confirm": Confirmation,
    "db upgrade": UpgradeReport,
    "db backup": BackupReport,
    "db check": CheckReport,
    "db adopt": AdoptReport,
    "db copy": CopyReport,
    "db shrink": ShrinkReport,
    "db shrink --dry-run": ShrinkPlan,
    "db make-reader": Reader,
}
ROW_BY_ROW = {"audit NAME", "audit --sql"}  # written as they are read, not built from a report


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Inner:
    """A part of a report."""

    at: datetime
    colour: Colour


@dataclass
class Outer:
    """A report."""

    details: list[Inner]
    counts: Counter[str]
    limit: float | None


class InnerDocument(TypedDict):
    """A part of a document."""

    at: Annotated[Time, "When."]
    colour: Annotated[Literal["red", "blue"], "The colour."]


class OuterDocument(TypedDict):
    """A document."""

    story: Annotated[list[InnerDocument], "The details.", From("details")]
    counts: Annotated[dict[str, int], "Counts."]
    limit: Annotated[float | None, "The limit."]


class RedDocument(TypedDict):
    """A document with fewer values than the report can have, and without a time."""

    colour: Annotated[Literal["red"], "The colour."]


class NamelessDocument(TypedDict):
    """A document with a key that nobody explained."""

    colour: str


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OUTER = Outer([Inner(NOON, Colour.RED)], Counter(a=1), float("inf"))
DOCUMENT = {
    "story": [{"at": "2026-01-01T12:00:00+00:00", "colour": "red"}],
    "counts": {"a": 1},
    "limit": None,
}


@pytest.mark.parametrize("command", sorted(REPORTS))
def test_forms_fit_the_reports(command: str) -> None:
    """Each key has an attribute of its type behind it, and each field of a report has a key."""
    assert list(class_problems(REPORTS[command], DOCUMENTS[command])) == []


def test_every_document_is_compared() -> None:
    """No document is left out above."""
    assert REPORTS.keys() | ROW_BY_ROW == DOCUMENTS.keys()


def test_outcomes_are_listed() -> None:
    """The outcomes of an ingest, which are keys of an object, are all named in its form."""
    (meaning,) = (key.meaning for key in document_keys(DOCUMENTS["ingest"]) if key.name == "outcomes")
    assert [outcome for outcome in IngestOutcome if f"`{outcome}`" not in meaning] == []


def test_a_report_becomes_a_document() -> None:
    """A document has the keys of its form, whatever the attributes are called; what JSON cannot hold becomes null."""
    assert to_document(OUTER, OuterDocument) == DOCUMENT
    assert list(value_problems(DOCUMENT, OuterDocument)) == []
    assert list(class_problems(Outer, OuterDocument)) == []


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT | {"more": 1},
        {"counts": {}, "story": [], "limit": None},
        DOCUMENT | {"story": [{"at": "2026-01-01T12:00:00", "colour": "red"}]},
        DOCUMENT | {"story": [{"at": "2026-01-01T12:00:00+00:00", "colour": "green"}]},
        DOCUMENT | {"counts": {"a": "1"}},
        DOCUMENT | {"counts": {"a": True}},
        DOCUMENT | {"limit": "1000"},
    ],
)
def test_a_wrong_document_is_seen(document: dict[str, object]) -> None:
    """A planted key, order, time, value or type is found."""
    assert list(value_problems(document, OuterDocument)) != []


def test_a_forgotten_field_is_seen() -> None:
    """A field without a key, a value that the form does not name, and a key without an attribute are found."""
    assert list(class_problems(Inner, RedDocument)) == [
        "$: Inner.at is in no key",
        f"$.colour: {Colour} is no {Literal['red']}",
    ]
    assert "$.story: Inner has no details" in list(class_problems(Inner, OuterDocument))


def test_a_key_without_a_meaning_is_refused() -> None:
    """A form says what each of its keys means."""
    with pytest.raises(TypeError, match="the key colour of NamelessDocument has no meaning"):
        document_keys(NamelessDocument)
