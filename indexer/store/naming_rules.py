"""How the images of ingested folders are named: one rule for each folder that a person gave to `ingest`."""

from dataclasses import fields
from functools import partial

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.domain.naming.rules import NamingRule, RuleBook
from indexer.store.camera_sources import list_cameras_of
from indexer.store.columns import lies_below
from indexer.store.locks.postgresql import lock_naming
from indexer.store.tables import CameraRow, ImageRow, NamingRuleRow

_NAMES = [field.name for field in fields(NamingRule)]


def list_rules(session: Session) -> dict[str, NamingRule]:
    """The rule of every folder, by folder, in the order of folders."""
    query = select(*(getattr(NamingRuleRow, name) for name in _NAMES)).order_by(NamingRuleRow.folder)
    rules = (NamingRule(**dict(zip(_NAMES, row, strict=True))) for row in session.execute(query))
    return {rule.folder: rule for rule in rules}


def list_rules_to_change(session: Session) -> dict[str, NamingRule]:
    """As `list_rules`; until the transaction ends, another command that calls this waits.

    Call it before rules are written. They belong to no camera, so that the locks of cameras do not protect them.
    """
    lock_naming(session.connection())
    return list_rules(session)


def set_rule(session: Session, rule: NamingRule) -> None:
    """Stores the rule of a folder in the place of the one that it has, if any."""
    values = {name: getattr(rule, name) for name in _NAMES}
    changed = update(NamingRuleRow).where(NamingRuleRow.folder == rule.folder).values(**values)
    if session.execute(changed.returning(NamingRuleRow.folder)).first() is None:
        session.execute(insert(NamingRuleRow).values(**values))


def delete_rule(session: Session, folder: str) -> bool:
    """Deletes the rule of a folder; whether there was one."""
    deleted = delete(NamingRuleRow).where(NamingRuleRow.folder == folder)
    return session.execute(deleted.returning(NamingRuleRow.folder)).first() is not None


def relocate_rules(session: Session, old: str, new: str) -> None:
    """Changes the rules after the folder `old` became `new`, as `RuleBook.relocated`.

    Call it after the paths of the images were changed, and before the sources of the cameras are.
    """
    before = list_rules_to_change(session)
    find_camera = partial(_find_camera_of_level, session, new)
    after = RuleBook(before).relocated(old, new, find_camera=find_camera).rules
    for folder in before.keys() - after.keys():
        delete_rule(session, folder)
    for folder, rule in after.items():
        if rule != before.get(folder):
            set_rule(session, rule)


def _find_camera_of_level(session: Session, moved: str, folder: str) -> str | None:
    """The camera that a person said the images below the folder `moved` are of, else the one of the source `folder`;
    None if there are several or none."""
    by_person = (
        select(CameraRow.name)
        .join(ImageRow, ImageRow.camera_id == CameraRow.id)
        .where(lies_below(ImageRow.path, moved), ImageRow.camera_source == "option")
    )
    names = list(session.scalars(by_person.distinct())) or list_cameras_of(session, [folder]).get(folder, [])
    return names[0] if len(names) == 1 else None


def delete_rules_below(session: Session, folder: str) -> None:
    """Deletes the rules of a folder and of all folders below it."""
    at_or_below = or_(lies_below(NamingRuleRow.folder, folder), NamingRuleRow.folder == folder)
    session.execute(delete(NamingRuleRow).where(at_or_below))
