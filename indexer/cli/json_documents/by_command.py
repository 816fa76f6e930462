"""Which command writes which document."""

from typing import Any

from indexer.cli.json_documents import admin, cameras, comparison, removal, review

DOCUMENTS: dict[str, Any] = {
    "ingest": comparison.IngestDocument,
    "ingest --dry-run": cameras.IngestPreviewDocument,
    "compare": comparison.CompareDocument,
    "prune": removal.PruneDocument,
    "prune --dry-run": removal.PlanDocument,
    "restore": removal.RestoreDocument,
    "rescue": removal.RestoreDocument,
    "recover": removal.RecoverDocument,
    "purge": removal.PurgeDocument,
    "status": admin.StatusDocument,
    "explain A": review.ImageDetailsDocument,
    "explain A B": review.PairDetailsDocument,
    "explain --picture": review.IllustrationDocument,
    "verdict": review.VerdictReportDocument,
    "verdict list": review.VerdictListDocument,
    "pin": review.PinDocument,
    "unpin": review.PinDocument,
    "sweep": comparison.SweepDocument,
    "evaluate": comparison.EvaluateDocument,
    "report": comparison.ReportDocument,
    "audit": list[admin.AuditDocument],
    "audit NAME": admin.QueryResultDocument,
    "audit --sql": admin.QueryResultDocument,
    "demo": admin.DemoDocument,
    "profile list": list[admin.StoredProfileDocument],
    "profile show": admin.StoredProfileDocument,
    "profile make": admin.MadeProfileDocument,
    "profile use": admin.ProfileUseDocument,
    "camera list": list[cameras.CameraListingDocument],
    "camera rules": list[cameras.NamingRuleDocument],
    "camera schemes": list[cameras.SchemeDocument],
    "camera confirm": cameras.ConfirmationDocument,
    "db upgrade": admin.HealthDocument,
    "db check": admin.HealthDocument,
    "db adopt": removal.AdoptDocument,
    "db copy": admin.CopyDocument,
    "db make-reader": admin.ReaderDocument,
}
"""The document by command; the words after a command say when it writes this one."""
