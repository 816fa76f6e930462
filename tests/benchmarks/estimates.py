"""What many images need, reckoned from the figures in `results.json`: the tables of SCALE.md.

Every function says what it reckons from. A share of 1 % new means: of a hundred images one shows what no image of its
camera showed before, and is kept. Nothing here is measured.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Results = Mapping[str, Mapping[str, Any]]

SHARES = (0.001, 0.01, 0.05, 0.2, 0.65)  # the last is that of the sample frames, chosen for what they show
THUMBNAIL_BYTES, PICTURE_BYTES, FILE_BYTES = 37_000, 8_000, 300_000  # of a 4:3 frame; README; a 1280 x 720 JPEG
CAMERAS, FRAMES = 10, 365 * 86_400  # of each, at one a second for a year

_MILLION, _HOUR_S, _GB = 1e6, 3600, 1e9


def ingest_s(results: Results, size: str) -> float:
    """Core seconds of an image: `ingest`, as long as it took inside times the cores."""
    return float(
        _of(results, "ingest", size)["inside_s"] * _cores(results, "ingest") / _of(results, "ingest", size)["frames"]
    )


def compare_s(results: Results) -> tuple[float, float]:
    """Core seconds of an image, and of a pair of kept images: of each two of these one met the other.

    Two comparisons of 100 000 images of one camera, with 5 000 (`growth`) and with 20 000 keepers (`memory`), as two
    equations: seconds on the processor = image x images + pair x keepers² / 2.

    Raises ValueError if one of the two costs nothing or less: then the comparisons were taken on machines of different
    speed.
    """
    few = next(row for row in results["growth"]["result"]["images in one camera"] if row["images"] == 100_000)
    many = _of(results, "memory", "compare")
    spent = [few["compare_processor_s"], many["processor_s"]]
    pair = (spent[1] - spent[0]) / (_pairs(many["keepers"]) - _pairs(few["keepers"]))
    image = (spent[0] - pair * _pairs(few["keepers"])) / few["images"]
    if min(image, pair) <= 0:
        raise ValueError(f"an image would cost {image:.2g} s and a pair {pair:.2g} s; take `growth` and `memory` again")
    return image, pair


def compare_hours(results: Results, images: float, cameras: int, share: float) -> float:
    """Core hours of the comparison of so many images, spread evenly over cameras, by the fit of `compare_s`."""
    image, pair = compare_s(results)
    return (image * images + pair * cameras * _pairs(images / cameras * share)) / _HOUR_S


def row_bytes(results: Results, kind: str) -> dict[str, float]:
    """Bytes on disk of an image in each table, indexes and pages' free space included, from `storage`: a decision, the
    most recorded pairs that an image had in `exact`, a thumbnail of 37 kB, a removal and the two pictures' share."""
    tables = results["storage"]["result"]
    each = {name: taken[f"{kind} table"] + taken[f"{kind} indexes"] for name, taken in tables.items()}
    recorded = max(
        part["recorded"] / part["images"] for part in results["exact"]["result"].values() if "recorded" in part
    )
    stored = (each["thumbnails"] / tables["thumbnails"]["data"]) * THUMBNAIL_BYTES
    picture = PICTURE_BYTES * each["thumbnails"] / tables["thumbnails"]["data"]
    return {
        "images": each["images"],
        "decisions": each["decisions"],
        f"scores ({recorded:.1f})": recorded * each["scores"],
        "thumbnails": stored,
        "removals": each["removals"],
        "pictures": picture,
    }


def ingest_table(results: Results) -> Iterator[Sequence[str]]:
    """Core hours of a million images of a size, and the cores that ten frames a second of it take."""
    for size in ("1280x720", "1920x1080"):
        each_s = ingest_s(results, size)
        yield size, _short(each_s * _MILLION / _HOUR_S), _short(10 * each_s)


def storage_table(results: Results) -> Iterator[Sequence[str]]:
    """GB of a million images."""
    kinds = {kind: row_bytes(results, kind) for kind in ("SQLite", "PostgreSQL")}
    for name in kinds["SQLite"]:
        yield name, *(_short(taken[name] * _MILLION / _GB) for taken in kinds.values())


def compare_table(results: Results) -> Iterator[Sequence[str]]:
    """Core hours of a million images, of one camera and of twenty."""
    for share in SHARES:
        hours = (compare_hours(results, _MILLION, cameras, share) for cameras in (1, 20))
        yield f"{share:.1%}", f"{_MILLION * share:,.0f}".replace(",", " "), *map(_short, hours)


def year_table(results: Results) -> Iterator[Sequence[str]]:
    """What the year of ten cameras needs to be compared: keepers of a camera, pairs, core hours, cores on average, and
    the temporary file of a camera's prepared pictures."""
    for share in SHARES[:4]:
        keepers = FRAMES * share
        hours = compare_hours(results, CAMERAS * FRAMES, CAMERAS, share)
        shelf_gb = keepers * 320 * 180 / _GB
        cells = (keepers / 1e6, CAMERAS * _pairs(keepers) / 1e12, hours, hours / (365 * 24), shelf_gb)
        yield f"{share:.1%}", *map(_short, cells)


def year_storage_table(results: Results) -> Iterator[Sequence[str]]:
    """TB of the year of ten cameras: as they come, and with 1 % kept, once the files and thumbnails of the others are
    gone."""
    images, kept = CAMERAS * FRAMES, 0.01
    taken = row_bytes(results, "PostgreSQL")
    rows = [name for name in taken if name not in {"thumbnails", "removals", "pictures"}]
    before = {
        "image files (300 kB)": images * FILE_BYTES,
        "thumbnails": images * taken["thumbnails"],
        "rows of images, decisions, scores": images * sum(taken[name] for name in rows),
        "removals": 0.0,
        "pictures of removed images": 0.0,
    }
    after = {
        "image files (300 kB)": kept * images * FILE_BYTES,
        "thumbnails": kept * images * taken["thumbnails"],
        "rows of images, decisions, scores": before["rows of images, decisions, scores"],
        "removals": (1 - kept) * images * taken["removals"],
        "pictures of removed images": images * taken["pictures"],
    }
    for name in before:
        yield name, _short(before[name] / 1e12), _short(after[name] / 1e12)


def _of(results: Results, figure: str, part: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = results[figure]["result"][part]
    return found


def _cores(results: Results, figure: str) -> int:
    return int(results[figure]["machine"]["cores"])


def _pairs(keepers: float) -> float:
    return keepers * keepers / 2


def _short(number: float) -> str:
    return f"{number:,.2g}".replace(",", " ") if number < 100 else f"{number:,.0f}".replace(",", " ")


_TABLES = {
    "ingest": ingest_table,
    "storage": storage_table,
    "compare": compare_table,
    "year": year_table,
    "disk": year_storage_table,
}
_MARKED = re.compile(r"<!-- (?P<name>\w+): (?P<head>[^\n]+) -->\n.*?<!-- until here -->", re.DOTALL)


def page(text: str, results: Results) -> str:
    """SCALE.md with its tables made anew, each between its two marks; the first names its columns."""

    def made(marked: re.Match[str]) -> str:
        head = marked["head"].split(", ")
        rows = [head, ["---"] * len(head), *_TABLES[marked["name"]](results)]
        lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"<!-- {marked['name']}: {marked['head']} -->\n{lines}\n<!-- until here -->"

    return _MARKED.sub(made, text)
