"""The open findings of advise on the page of a camera, with the images that show them."""

from indexer.domain.advice.ledger import StoredFinding
from indexer.store import findings, report_queries
from indexer.store.database import Database
from indexer.web.view_models import FindingView
from indexer.workflows.advice.descriptions import describe_finding
from indexer.workflows.report.pictures import ReportPictures


def finding_views(database: Database, pictures: ReportPictures, camera: str) -> tuple[FindingView, ...]:
    """The open findings of a camera, the oldest first; makes those of their pictures that are missing."""
    with database.read() as session:
        stored = findings.list_findings(session, camera=camera)
        image_ids = [image_id for one in stored for image_id in one.finding.image_ids]
        facts = report_queries.load_images(session, image_ids)
        removals = report_queries.load_removals(session, image_ids)
    pictures.make(list(facts.values()), removals, advance=_without_progress)
    return tuple(_finding_view(one, facts, pictures) for one in stored)


def _finding_view(
    stored: StoredFinding, facts: dict[int, report_queries.ImageFacts], pictures: ReportPictures
) -> FindingView:
    finding = stored.finding
    description = describe_finding(finding, stored.camera)
    return FindingView(
        id=stored.id,
        kind=finding.kind,
        since=pictures.local.of(finding.since, camera=stored.camera),
        what=description.what,
        advice=description.advice,
        commands=description.commands,
        regions=finding.regions,
        images=tuple(pictures.image_view(facts[image_id]) for image_id in finding.image_ids if image_id in facts),
    )


def _without_progress(_number: int) -> None:
    """These pictures are not counted: nearly all are those of the film strip."""
