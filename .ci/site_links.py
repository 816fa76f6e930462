"""A hook of mkdocs: files outside of docs/ are not on the site, so a link to one becomes its text."""

import posixpath
import re
from typing import Any

LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:)([^)#]+)(#[^)]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The text of a page without the links that lead out of docs/."""
    folder = posixpath.dirname(page.file.src_uri)

    def without(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link[2]))
        return link[1] if target.startswith("../") else link[0]

    return LINK.sub(without, markdown)
