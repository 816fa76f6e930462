"""The time zones that are stored for the folders of images and cameras; times in the index are UTC all the same."""

import os

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from indexer.store.tables import NamingRuleRow


def list_timezones(session: Session) -> dict[str, str]:
    """The time zone of each camera whose folders all have the same one, by the name of the camera."""
    if not session.scalar(select(exists().where(NamingRuleRow.timezone.is_not(None)))):
        return {}
    # Here, as they load the regular expressions of naming, and most indexes have no time zone.
    from indexer.domain.naming.rules import RuleBook
    from indexer.store.camera_sources import list_sources
    from indexer.store.naming_rules import list_rules

    rules = RuleBook(list_rules(session))
    zones = {}
    for camera, sources in list_sources(session).items():
        names = {None if (rule := rules.find(source.source)) is None else rule.timezone for source in sources}
        name = names.pop() if len(names) == 1 else None
        if name is not None:
            zones[camera] = name
    return zones


def find_timezone(session: Session, path: str) -> str | None:
    """The time zone that is stored for the folder of an image; None: none, so UTC."""
    from indexer.domain.naming.rules import RuleBook
    from indexer.store.naming_rules import list_rules

    rule = RuleBook(list_rules(session)).find(os.path.dirname(path))
    return None if rule is None else rule.timezone
