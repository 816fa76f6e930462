"""The pages of the documentation: their blocks, headings, links and references, as text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINKED_PAGES = [*PAGES, *sorted(ROOT.glob("C*.md")), *sorted((ROOT / "tests" / "benchmarks").glob("*.md"))]

_BLOCK = re.compile(
    r"^```(?P<kind>[^\n]*)\n(?P<body>.*?)^```$|^<!-- before:\n(?P<before>.*?)^-->$", flags=re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, or a comment with commands to run before the next one (its kind is `before`)."""

    kind: str
    body: str
    start: int
    end: int


def page_name(page: Path) -> str:
    """The path of a page from the top of the project."""
    return str(page.relative_to(ROOT))


def blocks(text: str) -> list[Block]:
    """The blocks of a page, in order; `start` and `end` are those of the body."""
    return [
        Block("before", match["before"], *match.span("before"))
        if match["kind"] is None
        else Block(match["kind"], match["body"], *match.span("body"))
        for match in _BLOCK.finditer(text)
    ]


def prose(text: str) -> str:
    """A page without its fenced blocks and comments."""
    return re.sub(r"<!--.*?-->", "", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), flags=re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    made: list[str] = []
    for heading in re.findall(r"^#+ +(.+)$", prose(text), flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = sum(anchor == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", anchor) is not None for anchor in made)
        made.append(f"{slug}-{count}" if count else slug)
    return set(made)


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Yields the links of a page that lead nowhere: to no file, to no heading, or to another site without https."""
    for match in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(text))):
        target = match["target"]
        if not (target.startswith("https://") if "://" in target else _leads_somewhere(page, text, target)):
            yield target


def _leads_somewhere(page: Path, text: str, target: str) -> bool:
    """Whether a relative target names a file of the project, and a heading of it if it names one."""
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.exists() or not path.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(text if path == page else path.read_text(encoding="utf-8"))


def inline_code(text: str) -> list[str]:
    """The inline code of a page."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def table_rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    _, _, rest = text.partition(f"\n{heading}\n")
    lines = re.search(r"(?:^\|.*\n)+", rest, flags=re.MULTILINE)
    rows = [] if lines is None else lines[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def region(text: str, name: str) -> tuple[int, int]:
    """Start and end of what a page has between the two marks of a generated part."""
    begin, end = f"<!-- generated: {name} -->\n", "<!-- end of what is generated -->"
    start = text.index(begin) + len(begin)
    return start, text.index(end, start)
