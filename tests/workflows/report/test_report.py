"""report: pages in a folder of their own, completed by the next one, of removed images too, and never too large."""

import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.domain.descriptions import Limits
from indexer.domain.masks import Mask
from indexer.errors import CameraError, FolderError
from indexer.execution import serial
from indexer.imaging.activity_map import clear_share
from indexer.imaging.masks import mask_overlay
from indexer.store import report_queries
from indexer.workflows.admin.profile import use_profile
from indexer.workflows.compare.wider_mask import NewestImages
from indexer.workflows.context import ComparisonContext
from indexer.workflows.report.one_file import write_one_file
from indexer.workflows.report.report import ReportResult, report
from tests.support.databases import execute_many, on_sqlite
from tests.support.findings import SINCE, add_finding
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture, prepared
from tests.support.video_rows import add_video_rows


@pytest.fixture
def write(index: Index, tmp_path: Path) -> Callable[..., ReportResult]:
    """Writes a report of the index, into `out` if no other folder is named."""

    def make(folder: Path | None = None, **how: Any) -> ReportResult:
        with serial() as spread:
            means = ComparisonContext(index.database, spread, Limits(), index.clock)
            return report(means, guarded_executor=spread, folder=str(folder or tmp_path / "out"), **how)

    return make


@prepared
def lot(index: Index) -> None:
    """Four images of one camera, compared: a place, the same again, a car, a bike."""
    for minute, marks in enumerate([(), (), (CAR,), (BIKE,)]):
        index.put(name(minute), picture(*marks, stamp=minute))
    index.ingest()
    index.compare()


def files(folder: Path) -> dict[str, int]:
    """When each file of a report was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_report_counts(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """The report says what it made, and every page that it counts is there."""
    made = write()
    assert (made.cameras, made.images, made.pairs, made.borderline) == (1, 4, 1, 2)
    assert vars(made.pictures) == {"reused": 0, "from_files": 4, "from_index": 0, "none": 0}
    assert made.pages == len(list((tmp_path / "out").rglob("*.html")))


def test_a_score_of_zero_comes_with_the_largest_change(
    index: Index, write: Callable[..., ReportResult], tmp_path: Path
) -> None:
    """A page of pairs says of a removal in which nothing counts how large its largest change is, and how close that."""
    for minute, marks in enumerate([(), (BIRD,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare()
    index.prune()
    write()
    ((largest, closeness),) = index.rows("SELECT largest_contour, closeness FROM audit_removals")
    pages = " ".join(page.read_text() for page in (tmp_path / "out").glob("borderline*.html"))
    assert 0 < closeness == largest / 1000 < 1
    assert f"the largest change is {largest:g} of the 1000 that count" in pages
    assert f"<dd>{closeness:.3g} (below 1: duplicate)</dd>" in pages


@pytest.mark.parametrize(("timezone", "hour"), [("UTC", 12), ("Asia/Kolkata", 17), ("America/St_Johns", 9)])
def test_hours_are_those_of_the_zone_that_is_stored(
    lot: Index, write: Callable[..., ReportResult], tmp_path: Path, timezone: str, hour: int
) -> None:
    """The chart of hours counts images by the time that is shown beside it, also half an hour from UTC."""
    lot.execute("UPDATE naming_rules SET timezone = ?", timezone)  # the times stay: noon in UTC
    write()
    [page] = (tmp_path / "out" / "cameras").rglob("index.html")
    titles = re.findall(r"<title>(\d\d) h: (\d+) of (\d+) kept</title>", page.read_text())
    assert [title for title in titles if title[2] != "0"] == [(f"{hour:02}", "3", "4")]


def test_videos_of_a_camera(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """The page of a camera says how many videos it has, and what became of their frames; one that was read again counts
    once."""
    for size in (1000, 2000):
        (tmp_path / "gate.mp4").write_bytes(bytes(size))
        add_video_rows(lot.database, tmp_path / "gate.mp4", image=lot.folder / name(0))
    write()
    [page] = (tmp_path / "out" / "cameras").rglob("index.html")
    videos = page.read_text().partition("<h2>Videos</h2>")[2].partition("</dl>")[0]
    numbers = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", videos))
    assert numbers == {
        "videos": "1",
        "frames looked at": "6",
        "stored, as they were new": "1",
        "spans of all others": "1",
        "gaps": "0",
    }


def test_index_is_only_read(lot: Index, write: Callable[..., ReportResult]) -> None:
    """Nothing is written into the index, not even a run."""
    before = lot.dump()
    write(sweep=True)
    assert lot.dump() == before


def test_rerun_reuses_pictures(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """A second report makes no picture again."""
    write()
    before = files(tmp_path / "out")
    made = write()
    after = files(tmp_path / "out")
    assert (made.pictures.reused, made.pictures.from_files, made.dropped) == (4, 0, 0)
    assert after.keys() == before.keys()
    assert [
        path for path in before if path.startswith(("pictures", "differences")) and before[path] != after[path]
    ] == []


def test_what_is_no_longer_part_goes(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """Pages and pictures of an earlier report go, unfinished ones too; files of others stay."""
    write()
    out = tmp_path / "out"
    stale = [out / "cameras/99/index.html", out / "pictures/ab" / f"{'ab' * 32}.jpg.part", out / "borderline-7.html"]
    for path in (*stale, out / "mine.html"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    assert write().dropped == 3
    assert [path for path in stale if path.exists()] == []
    assert (out / "mine.html").read_text() == "old"


def test_cut_report_is_completed(
    lot: Index, write: Callable[..., ReportResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that was cut off has no overview, and the next one completes it."""
    with monkeypatch.context() as cut:
        cut.setattr("indexer.web.rendering.render_pairs", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            write()
    assert not (tmp_path / "out" / "index.html").exists()
    assert write().pictures.reused == 4


def _interrupt(_page: object) -> str:
    raise KeyboardInterrupt


def test_foreign_folder_is_refused(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """A folder with files of others, or a file, is refused and left as it was."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text("mine")
    for folder in (tmp_path / "other", tmp_path / "other" / "index.html"):
        with pytest.raises(FolderError):
            write(folder)
    assert (tmp_path / "other" / "index.html").read_text() == "mine"
    assert os.listdir(tmp_path / "other") == ["index.html"]


def test_folder_inside_the_images_is_refused(lot: Index, write: Callable[..., ReportResult]) -> None:
    """A folder that the next ingest would walk is refused, and not made."""
    with pytest.raises(FolderError, match="lies inside"):
        write(lot.folder / "report")
    assert not (lot.folder / "report").exists()


def test_unknown_camera_is_refused(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """A camera that is not there is refused before the folder is made."""
    with pytest.raises(CameraError, match="there is no camera"):
        write(camera="nowhere")
    assert not (tmp_path / "out").exists()


def test_empty_index(write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """Of nothing there is a page that says what to do first."""
    assert write().pages == 1
    assert "manage.py ingest FOLDER" in (tmp_path / "out" / "index.html").read_text()


def test_removed_images_keep_their_picture(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """What was deleted is shown in colour by the picture that prune stored, and the page says what happened to it."""
    lot.prune(permanent=True)
    made = write()
    assert vars(made.pictures) == {"reused": 0, "from_files": 3, "from_index": 1, "none": 0}
    page = (tmp_path / "out/cameras/1/pairs.html").read_text()
    assert "deleted, run" in page
    assert "from the index" not in page


def test_file_that_is_gone_is_shown_from_the_index(
    lot: Index, write: Callable[..., ReportResult], tmp_path: Path
) -> None:
    """A file that is not there costs its colours, and the page says so."""
    for path in lot.folder.iterdir():
        path.unlink()
    assert write().pictures.from_index == 4
    assert "from the index" in (tmp_path / "out/cameras/1/index.html").read_text()


@on_sqlite
@pytest.mark.parametrize("keepers", [1, 1500])
def test_no_page_is_too_large(index: Index, write: Callable[..., ReportResult], tmp_path: Path, keepers: int) -> None:
    """Thousands of images with the longest names make pages below 1 MB, each linked to the next."""
    index.put(name(0), picture())
    index.ingest()
    index.compare()
    _fill(index, count=3000, keepers=keepers)
    made = write(sweep=False)
    sizes = [path.stat().st_size for path in (tmp_path / "out").rglob("*.html")]
    assert made.pairs == 3000 - keepers
    assert len(sizes) == made.pages
    assert max(sizes) < 1_000_000


def _fill(index: Index, *, count: int, keepers: int) -> None:
    """Adds decided images to an index, past the tool: the first ones kept, the others duplicates of the first."""
    long = '\u202e"&\x07' * 250
    execute_many(
        index.database,
        "INSERT INTO images (id, path, root, camera_id, camera_source, captured_at, width, height, file_size,"
        " mtime_ns, content_hash, sharpness, state, run_id) VALUES (?, ?, '/gone', 1, 'name',"
        " '2026-01-01 12:00:00.000000', 640, 480, 1, 1, ?, 1.0, 'ready', 1)",
        [(number, f"/gone/{number}{long}", f"{number:064x}") for number in range(100, 100 + count)],
    )
    execute_many(
        index.database,
        "INSERT INTO decisions (image_id, profile_id, verdict, keeper_id, score, reason, decided_by, decided_at,"
        " run_id) VALUES (?, 1, ?, ?, ?, ?, 'compare', '2026-01-01 12:00:00.000000', 2)",
        [
            (100 + at, "keep", None, None, "new") if at < keepers else (100 + at, "duplicate", 100, 5.0, "similar")
            for at in range(count)
        ],
    )


def test_what_is_ignored_is_shown(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """The page of a camera lays what its own profile ignores over a picture, to the pixel, and names it in words."""
    lot.make_profile("clock", ignore=["70,0,30,12.5", "0,80,20,20"])
    use_profile(lot.database, "clock", camera="gate", active=False, clock=lot.clock)
    lot.compare()
    write()
    mask = Mask((5, 10, 5, 0), ((0, 80, 20, 20), (70, 0, 30, 12.5)))
    shown = (tmp_path / "out/cameras/1/ignored.png").read_bytes()
    assert shown == mask_overlay(mask, height=64, width=96)
    page = (tmp_path / "out/cameras/1/index.html").read_text()
    assert 'src="../../cameras/1/ignored.png"' in page
    assert "2 rectangles" in page


def test_where_things_come_and_go_is_shown(
    lot: Index, write: Callable[..., ReportResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a camera lays over its newest picture where its kept images differ; the overlay is made once, and
    again when another image is kept."""

    def overlays() -> list[str]:
        return sorted(path.name for path in (tmp_path / "out/cameras/1").glob("activity-*.png"))

    write()
    (first,) = overlays()
    assert 0.5 < clear_share((tmp_path / "out/cameras/1" / first).read_bytes()) < 1
    page = (tmp_path / "out/cameras/1/index.html").read_text()
    assert f'src="../../cameras/1/{first}"' in page
    with monkeypatch.context() as patched:
        patched.setattr(NewestImages, "load_thumbnails", None)
        write()
    assert overlays() == [first]
    lot.put(name(900), picture((10, 8, 20, 90)))
    lot.ingest()
    lot.compare()
    write()
    assert len(overlays()) == 1
    assert overlays() != [first]


def test_findings_are_shown_with_pictures(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """The page of a camera shows its open findings with their images, outlined, and not those that are dismissed."""
    evidence = {"detail_share": 0.1, "frames": 20, "spread_px": 3, "direction": "across"}
    dirt = CameraFinding(Kind.DIRTY, SINCE, None, 2.0, evidence, (1, 3), regions=((10.0, 20.0, 30.0, 40.0),))
    add_finding(lot.database, dirt)
    add_finding(lot.database, CameraFinding(Kind.SWAYS, SINCE, None, 2.0, evidence, (1,)), dismissed_by="Ada")
    write()
    page = (tmp_path / "out/cameras/1/index.html").read_text()
    section = page[page.index('id="finding-1"') :]
    assert re.findall(r"pictures/[0-9a-f/]+\.jpg", section[: section.index("</article>")])
    assert section.count('<rect x="10.0" y="20.0" width="30.0" height="40.0"/>') == 2
    assert "in 20 frames" in section
    assert 'id="finding-2"' not in page


def test_the_index_may_change_meanwhile(
    lot: Index, write: Callable[..., ReportResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where decisions cease to hold while the pages are written, a borderline pair leads to the overview."""
    listed = report_queries.list_decided_images
    monkeypatch.setattr(
        report_queries, "list_decided_images", lambda session, camera_id: listed(session, camera_id)[:0]
    )
    assert write(sweep=False).borderline == 2


def test_a_spoiled_thumbnail_costs_one_picture(lot: Index, write: Callable[..., ReportResult]) -> None:
    """An image without a file whose thumbnail cannot be read is shown without a picture; the report goes on."""
    (lot.folder / name(2)).unlink()
    lot.execute("UPDATE thumbnails SET data = ? WHERE image_id = 3", b"\0")
    assert vars(write().pictures) == {"reused": 0, "from_files": 3, "from_index": 0, "none": 1}


def test_grey_pictures_are_reused(lot: Index, write: Callable[..., ReportResult]) -> None:
    """What could only be shown from the index is not made again while its file is still away."""
    (lot.folder / name(2)).unlink()
    assert write().pictures.from_index == 1
    assert vars(write().pictures) == {"reused": 4, "from_files": 0, "from_index": 0, "none": 0}


def test_folders_of_others_stay(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """An empty folder that somebody made inside a report is still there after the next one."""
    write()
    (tmp_path / "out/mine").mkdir()
    write()
    assert (tmp_path / "out/mine").is_dir()


def test_nothing_is_written_through_a_link(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """A link where a report writes leads nowhere: files of others keep their bytes, folders of others are refused."""
    write()
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "out/index.html.part").symlink_to(tmp_path / "precious")
    write()
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "out/index.html").is_symlink()
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(tmp_path / "out/pictures")
    (tmp_path / "out/pictures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match="leads out of the report"):
        write()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_profile_may_be_made_meanwhile(
    lot: Index, write: Callable[..., ReportResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that was made after the report began is known by the time its decisions are shown."""
    listed = report_queries.list_decided_images

    def late(session: Any, camera_id: int) -> Any:
        monkeypatch.undo()
        lot.make_profile("late", base="plain")
        lot.compare(profile="late")
        return listed(session, camera_id)

    monkeypatch.setattr(report_queries, "list_decided_images", late)
    assert write(sweep=False).pairs == 1


def test_names_of_files_alone_are_shown(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """No page tells where the images or the index lie, unless paths are asked for."""
    for paths in (False, True):
        out = write(tmp_path / f"out-{paths}", paths=paths)
        texts = [page.read_text() for page in Path(out.folder).rglob("*.html")]
        assert any(str(lot.folder) in text for text in texts) is paths
        assert all(str(tmp_path) not in text for text in texts) is not paths


def test_overview_says_what_is_next(lot: Index, write: Callable[..., ReportResult], tmp_path: Path) -> None:
    """The overview has a picture of each camera, one basis for its share, and the commands that come next."""
    lot.put(name(9), picture(CAR, stamp=9))
    lot.ingest()
    write(sweep=False)
    text = (tmp_path / "out" / "index.html").read_text()
    assert re.findall(r"<code>manage.py (.*?)</code>", text) == ["compare", "review", "prune --dry-run"]
    assert "3 of 4 decided images are kept (75%)" in text
    assert text.count('class="newest" src="pictures/') == 1


@on_sqlite
def test_a_second_report_searches_nothing(lot: Index, tmp_path: Path) -> None:
    """What the first found of pairs and limits is read from the folder; a verdict makes the limits be tried again."""
    sent = list[str]()

    class Counting:
        workers = 1

        def __call__(self, function: Callable[..., Any], items: Any) -> Any:
            for item in items:
                sent.append(function.__name__)
                yield function(item)

    def write_again() -> tuple[set[str], list[str]]:
        sent.clear()
        means = ComparisonContext(lot.database, Counting(), Limits(), lot.clock)
        with serial() as reading:
            report(means, guarded_executor=reading, folder=str(tmp_path / "out"), sweep=True)
        pairs = [line for line in (tmp_path / "out/cameras/1/pairs.html").read_text().split("<") if "polygon" in line]
        sweeps = [path.name for path in (tmp_path / "out/cameras/1").glob("sweep-*.json")]
        return {*pairs}, sweeps

    first = write_again()
    assert "find_changes" in sent
    assert (write_again(), sent) == (first, [])
    lot.judge(name(0), name(3), "different")
    assert (len(write_again()[1]), first[1] == write_again()[1]) == (1, False)


def test_one_file_is_named_by_its_whole_path(lot: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser opens what the result names, wherever it was started: also a file that was named from its folder."""
    monkeypatch.chdir(tmp_path)
    with serial() as spread:
        means = ComparisonContext(lot.database, spread, Limits(), lot.clock)
        result = write_one_file(means, guarded_executor=spread, file="lot.html")
    assert (result.page, result.folder) == (str(tmp_path / "lot.html"), str(tmp_path))


def test_one_file_holds_everything(lot: Index, tmp_path: Path) -> None:
    """The report as one file has its pictures, style and script in it, and replaces nothing but such a file."""
    file = tmp_path / "lot.html"

    def write_file(path: Path = file) -> ReportResult:
        with serial() as spread:
            means = ComparisonContext(lot.database, spread, Limits(), lot.clock)
            return write_one_file(means, guarded_executor=spread, file=str(path))

    results = [write_file() for _ in range(2)]
    text = file.read_text()
    assert (results[0].images, results[1].pairs > 0, stat.S_IMODE(file.stat().st_mode)) == (4, True, 0o600)
    assert [link for link in re.findall(r'(?:src|href)="(.*?)"', text) if not link.startswith(("data:", "#"))] == []
    file.write_text("mine")
    for path in (file, tmp_path):
        with pytest.raises(FolderError):
            write_file(path)
    assert file.read_text() == "mine"
