"""What a report says of a camera besides its images: other limits, what is ignored, the profile, what was left out."""

from indexer.domain.images import State
from indexer.pages.views import About, CameraCard, Ignored, Listed, Listing, Picture, Sweep, SweepPoint
from indexer.store import reporting
from indexer.store.profiles import StoredProfile
from indexer.workflows.comparing import Means
from indexer.workflows.sweep import sweep as try_limits

SWEPT = 3_000
"""Images up to which other limits are tried without being asked for: some seconds."""
_NAMED = 200

_UNREADABLE = (State.UNREADABLE, State.DAMAGED, State.TOO_SMALL)


def about_camera(
    means: Means, camera_id: int, *, card: CameraCard, stored: StoredProfile, newest: Picture | None, sweep: bool
) -> About:
    """What the first page of a camera says below its strip."""
    parameters = stored.profile.parameters
    return About(
        parameters=tuple((name, _value(value)) for name, value in parameters.items()),
        ignored=Ignored(stored.profile.preparation.mask, newest),
        sweep=_sweep(means, card) if sweep else Sweep(why_not=_NOT_TRIED),
        listings=tuple(listing for listing in _listings(means, camera_id, card) if listing.total),
    )


_NOT_TRIED = "Other limits were not tried, as this takes a while on a large index; report --sweep tries them."


def _sweep(means: Means, card: CameraCard) -> Sweep:
    tried = [one for one in try_limits(means, camera=card.name).cameras if one.camera == card.name]
    if not tried or tried[0].problem is not None:
        return Sweep(why_not=f"Other limits cannot be tried: {tried[0].problem if tried else 'no image is there'}")
    rows = tried[0].rows
    points = (
        SweepPoint(row.max_score, row.min_contour_area, row.kept, row.duplicates, row.size_bytes, row.current)
        for row in rows
    )
    return Sweep(tuple(points))


def _listings(means: Means, camera_id: int, card: CameraCard) -> list[Listing]:
    by_state = "manage.py audit --sql \"SELECT path FROM images WHERE camera_id = {} AND state = '{}'\""
    undecided = (
        f'manage.py audit --sql "SELECT path FROM images AS image WHERE camera_id = {camera_id} '
        "AND state = 'ready' AND "
        'NOT EXISTS (SELECT 1 FROM audit_decisions AS decided WHERE decided.image_id = image.id)"'
    )
    with means.database.read() as session:
        found = (
            ("undecided", card.undecided, reporting.list_undecided(session, camera_id, limit=_NAMED), undecided),
            (
                "unreadable",
                card.unreadable,
                reporting.list_of_states(session, camera_id, states=_UNREADABLE, limit=_NAMED),
                "manage.py audit unreadable",
            ),
            (
                "missing",
                card.missing,
                reporting.list_of_states(session, camera_id, states=(State.MISSING,), limit=_NAMED),
                by_state.format(camera_id, "missing"),
            ),
        )
    return [
        Listing(
            title,
            total,
            tuple(Listed(one.id, one.path, one.state_reason) for one in rows),
            command,
        )
        for title, total, rows, command in found
    ]


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "native" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
