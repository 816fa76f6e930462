"""The images of a camera that a comparison concerns, found by index: what is not concerned is not read.

All questions are of one camera whose current decisions are placed (`indexer.domain.reach`); `has_unplaced` asks for
others. Every answer has ids of images in the order in which the database gives them. Paged by
`indexer.workflows.compare.camera_part`; the plans of these queries are held by tests/store/test_query_plans.py.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, and_, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from indexer.domain.images import ImageState
from indexer.domain.reach import OpeningKeeper, concerned_times
from indexer.store.bulk import chunks
from indexer.store.open_images import is_ready_in
from indexer.store.pins import is_pinned
from indexer.store.tables import CameraRow, DecisionRow, ImageRow, PinRow, SpanRow

_CURRENT = DecisionRow.superseded_at.is_(None)
_DUPLICATE = and_(_CURRENT, DecisionRow.keeper_id.is_not(None))
KEPT = and_(_CURRENT, DecisionRow.verdict == literal_column("'keep'"))  # as the condition of the index says it

_keeper, _keeper_decision = aliased(ImageRow), aliased(DecisionRow)


def has_unplaced(session: Session, camera_id: int) -> bool:
    """Whether a ready image of the camera has a decision whose place was not noted, as by an earlier version."""
    return camera_id in list_unplaced_cameras(session)


def count_ready(session: Session, camera_id: int) -> int:
    """The number of ready images of a camera."""
    query = select(func.count()).select_from(ImageRow)
    return session.scalar(query.where(ImageRow.camera_id == camera_id, ImageRow.state == ImageState.READY)) or 0


def list_kept(session: Session, camera_id: int) -> list[int]:
    """The ready images that are kept."""
    query = select(DecisionRow.image_id).join(ImageRow, ImageRow.id == DecisionRow.image_id)
    return list(session.scalars(query.where(KEPT, DecisionRow.of_camera_id == camera_id, is_ready_in(camera_id))))


def list_broken_keepers(session: Session, camera_id: int) -> list[int]:
    """The images that duplicates of the camera, also removed ones, name as their keeper, and that keep no more."""
    broken = _select_broken(camera_id).subquery()
    return list(session.scalars(select(broken.c.id)))


def list_broken_cameras(session: Session, *, camera_id: int | None = None) -> list[int]:
    """The cameras in which a ready duplicate names a keeper that keeps no more, or in which such a keeper is pinned;
    of all cameras, or of one."""
    broken = _select_broken(camera_id).subquery()
    is_named = exists().where(
        _DUPLICATE,
        DecisionRow.of_camera_id == broken.c.camera_id,
        DecisionRow.keeper_id == broken.c.id,
        ImageRow.id == DecisionRow.image_id,
        is_ready_in(broken.c.camera_id),
    )
    is_ready_and_pinned = exists().where(
        ImageRow.id == broken.c.id, is_ready_in(broken.c.camera_id), is_pinned(ImageRow.id)
    )
    return list(session.scalars(select(broken.c.camera_id).where(or_(is_named, is_ready_and_pinned)).distinct()))


def list_unplaced_cameras(session: Session) -> list[int]:
    """The cameras that `has_unplaced` holds for."""
    unplaced = select(DecisionRow.image_id).where(_CURRENT, DecisionRow.of_camera_id.is_(None))
    if session.scalar(unplaced.limit(1)) is None:
        return []  # as a rule: the query below may read all images
    query = select(ImageRow.camera_id).where(ImageRow.id.in_(unplaced), ImageRow.state == ImageState.READY)
    return list(session.scalars(query.distinct()))


def list_pinned_cameras(session: Session) -> list[int]:
    """The cameras that have images as `list_pinned_duplicates` lists them."""
    query = select(ImageRow.camera_id).join(DecisionRow, DecisionRow.image_id == ImageRow.id)
    query = query.where(_DUPLICATE, ImageRow.state == ImageState.READY).distinct()
    pinned = select(PinRow.image_id).where(PinRow.unpinned_at.is_(None))
    witnesses = select(SpanRow.image_id).where(SpanRow.image_id.is_not(None))
    results = (session.scalars(query.where(DecisionRow.image_id.in_(ids))) for ids in (pinned, witnesses))
    return [camera_id for ids in results for camera_id in ids]


def list_ready(session: Session, camera_id: int, image_ids: Sequence[int]) -> list[int]:
    """Those of these images that are ready images of the camera."""
    results = (
        session.scalars(select(ImageRow.id).where(ImageRow.id.in_(chunk), is_ready_in(camera_id)))
        for chunk in chunks(image_ids)
    )
    return [image_id for ids in results for image_id in ids]


def list_duplicates_of(session: Session, camera_id: int, keeper_ids: Sequence[int]) -> list[int]:
    """The ready images whose decisions name one of these keepers."""
    query = _select_duplicates(camera_id)
    results = (session.scalars(query.where(DecisionRow.keeper_id.in_(chunk))) for chunk in chunks(keeper_ids))
    return [image_id for ids in results for image_id in ids]


def list_pinned_duplicates(session: Session, camera_id: int) -> list[int]:
    """The ready images that were decided to be duplicates, and that a person pinned or a span names as its witness."""
    query = select(DecisionRow.image_id).join(ImageRow, ImageRow.id == DecisionRow.image_id)
    query = query.where(_DUPLICATE, is_ready_in(camera_id))
    pinned = select(PinRow.image_id).where(PinRow.unpinned_at.is_(None))
    witnesses = select(SpanRow.image_id).where(SpanRow.camera_id == camera_id, SpanRow.image_id.is_not(None))
    results = (session.scalars(query.where(DecisionRow.image_id.in_(ids))) for ids in (pinned, witnesses))
    return [image_id for ids in results for image_id in ids]


def list_concerned(session: Session, camera_id: int, keepers: Sequence[OpeningKeeper]) -> Iterator[int]:
    """The ready duplicates that one of these new keepers may concern, and some that they do not."""
    query = _select_duplicates(camera_id)
    for rank_class, reach_class in list(_iter_classes(session, camera_id, keepers)):
        of_classes = (DecisionRow.rank_class == rank_class) & (DecisionRow.reach_class == reach_class)
        times = concerned_times(keepers, rank_class=rank_class, reach_class=reach_class)
        if times is None:
            yield from session.scalars(query.where(of_classes))
            continue
        for begin_us, end_us in times:  # one query each: with OR, SQLite would read all duplicates of the classes
            yield from session.scalars(query.where(of_classes, DecisionRow.captured_us.between(begin_us, end_us)))


def _iter_classes(session: Session, camera_id: int, keepers: Sequence[OpeningKeeper]) -> Iterator[tuple[int, int]]:
    """The rank and reach classes of the camera's duplicates below one of these keepers: one short query for each."""
    highest = None
    if all(keeper.rank_class is not None for keeper in keepers):
        highest = max((keeper.rank_class or 0 for keeper in keepers), default=-1)
    classes = select(DecisionRow.rank_class, DecisionRow.reach_class)
    classes = classes.where(_DUPLICATE, DecisionRow.of_camera_id == camera_id).limit(1)
    last: tuple[int, int] | None = None
    while True:
        row = None
        if last is not None:
            next_reach = classes.where(DecisionRow.rank_class == last[0], DecisionRow.reach_class > last[1])
            row = session.execute(next_reach.order_by(DecisionRow.reach_class)).first()
        if row is None:
            next_rank = classes.where(DecisionRow.rank_class > (-1 if last is None else last[0]))
            if highest is not None:
                next_rank = next_rank.where(DecisionRow.rank_class <= highest)
            row = session.execute(next_rank.order_by(DecisionRow.rank_class, DecisionRow.reach_class)).first()
        if row is None:
            return
        last = int(row[0] or 0), int(row[1] or 0)
        yield last


def _select_broken(camera_id: int | None) -> Select[int, int]:
    """The named keepers that keep no more, with the camera. The index gives one named keeper after the other, however
    many duplicates name it."""
    of_camera = and_(_DUPLICATE, DecisionRow.of_camera_id == CameraRow.id)
    first = select(func.min(DecisionRow.keeper_id)).where(of_camera).correlate(CameraRow).scalar_subquery()
    cameras = select(CameraRow.id.label("camera_id"), first.label("id"))
    if camera_id is not None:
        cameras = cameras.where(CameraRow.id == camera_id)
    named_ids = cameras.cte("named", recursive=True)
    following = (
        select(func.min(DecisionRow.keeper_id))
        .where(_DUPLICATE, DecisionRow.of_camera_id == named_ids.c.camera_id, DecisionRow.keeper_id > named_ids.c.id)
        .correlate(named_ids)
        .scalar_subquery()
    )
    named_ids = named_ids.union_all(select(named_ids.c.camera_id, following).where(named_ids.c.id.is_not(None)))
    keeps = exists().where(
        _keeper.id == named_ids.c.id,
        _keeper.state == ImageState.READY,
        _keeper.camera_id == named_ids.c.camera_id,
        _keeper_decision.image_id == _keeper.id,
        _keeper_decision.superseded_at.is_(None),
        _keeper_decision.verdict == "keep",
    )
    return select(named_ids.c.camera_id, named_ids.c.id).where(named_ids.c.id.is_not(None), ~keeps)


def _select_duplicates(camera_id: int) -> Select[int]:
    query = select(DecisionRow.image_id).join(ImageRow, ImageRow.id == DecisionRow.image_id)
    return query.where(_DUPLICATE, DecisionRow.of_camera_id == camera_id, is_ready_in(camera_id))
