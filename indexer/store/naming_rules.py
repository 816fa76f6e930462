"""How the images of ingested folders are named: one rule for each folder that a person gave to `ingest`."""

from dataclasses import fields, replace

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from indexer.domain.naming.rules import NamingRule
from indexer.store.columns import lies_below, relocated
from indexer.store.tables import NamingRuleRow

_NAMES = [field.name for field in fields(NamingRule)]


def list_rules(session: Session) -> dict[str, NamingRule]:
    """The rule of every folder, by folder, in the order of folders."""
    query = select(*(getattr(NamingRuleRow, name) for name in _NAMES)).order_by(NamingRuleRow.folder)
    rules = (NamingRule(**dict(zip(_NAMES, row, strict=True))) for row in session.execute(query))
    return {rule.folder: rule for rule in rules}


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
    """Changes the folders of rules below `old` to `new`; a folder that has a rule at its new path keeps that one."""
    rules = list_rules(session)
    for folder, rule in rules.items():
        base = None if rule.base is None else relocated(rule.base, old=old, new=new)
        moved = replace(rule, folder=relocated(folder, old=old, new=new), base=base)
        if moved == rule:
            continue
        if moved.folder != folder:
            delete_rule(session, folder)
        if moved.folder == folder or moved.folder not in rules:
            set_rule(session, moved)


def delete_rules_below(session: Session, folder: str) -> None:
    """Deletes the rules of a folder and of all folders below it."""
    at_or_below = or_(lies_below(NamingRuleRow.folder, folder), NamingRuleRow.folder == folder)
    session.execute(delete(NamingRuleRow).where(at_or_below))
