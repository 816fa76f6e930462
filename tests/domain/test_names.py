"""Camera and capture time, read from names: every form back and forth, every source in turn, no text that raises."""

import os
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.names import Naming, compile_pattern, matches_pattern, name_image
from indexer.errors import UsageError

NOON = datetime(2021, 3, 27, 12, 53, 37, tzinfo=UTC)
NOON_NS = 1_616_849_617_000_000_000
NOON_MS = 1_616_849_617_000

NO_NAMES = (
    *("img", "image", "mvimg", "pxl", "dsc", "photo", "pic", "snap", "screen", "frame", "copy", "vid", "win", "gopr"),
    *("still", "thumb", "burst", "time", "rec", "evt", "dji", "file", "clip", "fb", "c360", "no", "pa", "out", "cap"),
    *("vmd", "pir", "alarm", "mdal", "hmda", "motion", "sched", "manual", "event", "trigger", "pet", "face", "human"),
    *("person", "people", "object", "animal", "im", "vi", "tl", "ev"),
)
"""How words begin that say the kind of a file, or why it was taken, and no camera."""
cameras = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}([-_ .][A-Za-z0-9]{1,4}){0,2}", fullmatch=True).filter(
    lambda camera: not any(word.startswith(NO_NAMES) for word in re.split("[-_ .]", camera.lower()))
)
moments = st.datetimes(datetime(2002, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))
TO_THE_SECOND = [
    "{camera}_%Y_%m_%d__%H_%M_%S",
    "{camera}_%Y%m%d_%H%M%S",
    "{camera}_%Y%m%d%H%M%S",
    "{camera}-%Y%m%d-%H%M%S",
    "{camera} %Y-%m-%d %H.%M.%S",
    "{camera}_%Y-%m-%d_%H-%M-%S",
    "{camera}_%Y-%m-%dT%H-%M-%S",
    "{camera}_%Y-%m-%dT%H.%M.%S",
    "{camera}_%Y-%m-%dT%H:%M:%S+0000",
    "{camera}_%Y%m%dT%H%M%SZ",
    "{camera}.%Y.%m.%d.%H.%M.%S",
    "{camera}_%Y_%m_%d_%H%M%S",
]


def named(path: str, *, root: str = "/data/lot", mtime_ns: int = NOON_NS, **more: Any) -> Naming:
    return name_image(path, root=root, mtime_ns=mtime_ns, **more)


@pytest.mark.parametrize("form", TO_THE_SECOND)
@settings(max_examples=40)
@given(camera=cameras, moment=moments, extension=st.sampled_from(["png", "JPG", "Tiff"]))
def test_forms_to_the_second_come_back(form: str, camera: str, moment: datetime, extension: str) -> None:
    """A time and a camera written in any common form are read back as they were, to the second."""
    moment = moment.replace(microsecond=0)
    name = moment.strftime(form).replace("{camera}", camera)
    assert named(f"/data/lot/x/{name}.{extension}") == Naming(camera, "name", moment, "name")


@pytest.mark.parametrize(
    "form", ["{c}-{ms}", "{c}_{ms}", "{c}_{s}{f}", "{c}_{s}_{f}", "{c}-{s}-{f}", "{c}_{s}.{f}", "{c}_{s}.{f}000"]
)
@settings(max_examples=40)
@given(camera=cameras, moment=moments)
def test_forms_to_the_millisecond_come_back(form: str, camera: str, moment: datetime) -> None:
    """Epoch milliseconds, and milliseconds behind the seconds, are read back exactly."""
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    name = form.format(c=camera, ms=ms, s=moment.strftime("%Y%m%d_%H%M%S"), f=f"{ms % 1000:03d}")
    if form == "{c}_{s}{f}":
        name = f"{camera}_{moment.strftime('%Y%m%d%H%M%S')}{ms % 1000:03d}"
    assert named(f"/data/lot/x/{name}.png") == Naming(camera, "name", moment, "name")


@pytest.mark.parametrize(
    ("name", "camera", "source"),
    [
        ("20210327_125337.jpg", "gate", "folder"),
        ("2021-03-27T12-53-37.jpg", "gate", "folder"),
        ("1616849617000.jpg", "gate", "folder"),
        ("20210327_125337_cam4.jpg", "cam4", "name"),
        ("1616849617000-c10.png", "c10", "name"),
        ("20210327_125337_MOTION.jpg", "gate", "folder"),
        ("20210327_125337_2.jpg", "gate", "folder"),
        ("20210327_125337 (1).jpg", "gate", "folder"),
        ("20210327_125337_frame0001.jpg", "gate", "folder"),
        ("IMG_20210327_125337.jpg", "gate", "folder"),
        ("IMG_20210327_125337_cam4.jpg", "cam4", "name"),
        ("192.168.1.64_01_20210327125337_MOTION_DETECTION.jpg", "192.168.1.64_01", "name"),
        ("north-gate_2-1616849617000.png", "north-gate_2", "name"),
        ("north gate_-_20210327_125337.png", "north gate", "name"),
        ("cam_2021_2021_03_27_12_53_37.png", "cam_2021", "name"),
        ("cam_20210230_125337_20210327_125337.png", "cam_20210230_125337", "name"),
    ],
)
def test_camera_beside_the_time(name: str, camera: str, source: str) -> None:
    """The camera stands before the time, or after it as a word with a number, else it is the folder."""
    assert named(f"/data/lot/gate/{name}", mtime_ns=0) == Naming(camera, source, NOON, "name")


@pytest.mark.parametrize(
    "name",
    [
        "cam_20211327_125337",
        "cam_20210230_125337",
        "cam_20210327_245337",
        "cam_20210327_126037",
        "cam_2021-03_27_12_53_37",
        "cam_2021-03-27125337",
        "cam_2021032712",
        "cam_1616849617",
        "cam_20210327",
        "cam_9999999999999",
        "cam_0000000000001",
        "cam1616849617000",
        "cam_16168496170001",
        "cam_1120210327125337",
        "cam_202103271253370",
        "cam_20210327_125337x",
        "cam_٢٠٢١٠٣٢٧_١٢٥٣٣٧",
        "",
    ],
)
def test_impossible_times_are_no_match(name: str) -> None:
    """What no calendar or clock shows, or could be read in two ways, is no time: folder and mtime speak instead."""
    assert named(f"/data/lot/gate/{name}.jpg") == Naming("gate", "folder", NOON, "mtime")


def test_offset_in_the_name_is_applied() -> None:
    """An offset behind a form with T moves the time to UTC."""
    expected = Naming("cam", "name", NOON - timedelta(hours=2), "name")
    assert named("/data/lot/cam_2021-03-27T12-53-37+0200.jpg") == expected
    assert named("/data/lot/cam_20210327T145337.000+04:00.jpg") == expected


@pytest.mark.parametrize(
    ("path", "root", "camera"),
    [
        ("/data/lot/a.jpg", "/data/lot", "lot"),
        ("/data/lot/a.jpg", "/data/lot/", "lot"),
        ("/data/lot/north/west/a.jpg", "/data/lot", "west"),
        ("/a.jpg", "/", "camera"),
        ("/data/ \n /a.jpg", "/data", "camera"),
        ("/data/caf\udce9/a.jpg", "/data", r"caf\xe9"),
        ("/data/caf\udcc3\udca9/a.jpg", "/data", "café"),
        ("/data/\ud800/a.jpg", "/data", r"\xed\xa0\x80"),
    ],
)
def test_folder_gives_the_camera(path: str, root: str, camera: str) -> None:
    """Without a better source the folder's name is the camera, printable and never empty."""
    assert named(path, root=root) == Naming(camera, "folder", NOON, "mtime")


def test_every_source_in_its_turn() -> None:
    """Option, pattern, name and folder give the camera in this order; pattern, name, EXIF and mtime the time."""
    path, other = "/data/lot/hall/c10-1616849617000.png", "/data/lot/hall/x.png"
    pattern = compile_pattern(r"^(?P<camera>\w+)/(?P<timestamp>[^.]*)")
    just_camera = compile_pattern(r"^(?P<camera>\w+)/")
    exif: dict[str, Any] = {"exif_time": "2021:03:27 12:53:37", "mtime_ns": 0}
    assert [
        named(path, camera=" c1 ", pattern=pattern),
        named(path, camera="  ", pattern=pattern, **exif),
        named(path, pattern=just_camera, mtime_ns=0),
        named(path, **exif),
        named(other, **exif),
        named(other),
        named(other, mtime_ns=10**40),
    ] == [
        Naming("c1", "option", NOON, "name"),
        Naming("hall", "pattern", NOON, "name"),
        Naming("hall", "pattern", NOON, "name"),
        Naming("c10", "name", NOON, "name"),
        Naming("hall", "folder", NOON, "exif"),
        Naming("hall", "folder", NOON, "mtime"),
        Naming("hall", "folder", None, None),
    ]


@pytest.mark.parametrize(
    "stamp",
    [
        "1616849617",
        "1616849617000",
        "20210327125337",
        "20210327125337000",
        "2021_03_27__12_53_37",
        "2021/03/27/12.53.37.000",
        "2021-03-27T14:53:37+02:00",
        "20210327T075337-0500",
        "2021-03-27T12:53:37.000000Z",
        "2021_03_27T12_53_37Z",
        "2021-03-27 12:53:37",
    ],
)
def test_timestamp_of_a_pattern(stamp: str) -> None:
    """A pattern's timestamp is read as epoch seconds or milliseconds, as digits with any separators, or as ISO 8601."""
    pattern = compile_pattern(r"^day/(?P<timestamp>.*) x\.jpg$")
    path = f"/data/lot/day/{stamp} x.jpg"
    assert named(path, pattern=pattern, mtime_ns=0).captured_at_source == "pattern"
    assert named(path, pattern=pattern, mtime_ns=0).captured_at == NOON


@pytest.mark.parametrize("stamp", ["", "noon", "2021-03", "20211327125337", "9999999999", "2021-W13-6", "12:53"])
def test_pattern_without_a_readable_time_falls_through(stamp: str) -> None:
    """A timestamp group that reads as no time leaves the time to the next source."""
    pattern = compile_pattern(r"(?P<timestamp>[^/]*) x\.jpg$")
    assert named(f"/data/lot/day/{stamp} x.jpg", pattern=pattern) == Naming("day", "folder", NOON, "mtime")


@pytest.mark.parametrize("text", ["(", "(?P<time>.)", "", "c10", "a{99999999999999999999}(?P<camera>x)"])
def test_unusable_patterns_are_refused(text: str) -> None:
    """A pattern that is no regular expression, or names neither group, is a usage problem that quotes it."""
    with pytest.raises(UsageError) as caught:
        compile_pattern(text)
    assert repr(text) in str(caught.value)


def test_pattern_sees_the_path_beneath_the_root() -> None:
    """A pattern is searched in the path relative to the root, so that nothing above the root can match."""
    pattern = compile_pattern(r"(?P<camera>data|lot|hall)")
    assert matches_pattern("/data/lot/hall/x.png", root="/data/lot", pattern=pattern)
    assert not matches_pattern("/data/lot/x.png", root="/data/lot", pattern=pattern)
    assert named("/data/lot/hall/x.png", pattern=pattern).camera == "hall"


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("2021:03:27 12:53:37", None, NOON),
        ("2021:03:27 12:53:37\0", "", NOON),
        ("2021:03:27 12:53:37.250", "+02:00", NOON - timedelta(hours=2, milliseconds=-250)),
        ("2021:03:27 07:53:37", "-05:00", NOON),
        ("2021:03:27 12:53:37", "+99:99", NOON),
        ("0000:00:00 00:00:00", None, None),
        ("0001:01:01 00:00:00", "+14:00", None),
        ("    :  :     :  :  ", None, None),
    ],
)
def test_exif_times(text: str, offset: str | None, expected: datetime | None) -> None:
    """EXIF times count in their offset, else in UTC; the blanks that cameras without a clock write are no time."""
    naming = named("/data/lot/x.jpg", exif_time=text, exif_offset=offset, mtime_ns=10**40)
    assert naming == Naming("lot", "folder", expected, "exif" if expected else None)


@st.composite
def exif_forms(draw: st.DrawFn) -> tuple[str, datetime]:
    """A time as some camera or program writes it into EXIF, and the moment that it means."""
    local = draw(st.datetimes(datetime(1970, 1, 2), datetime(2107, 12, 30)))
    digits = draw(st.sampled_from([2, 1]))
    blank = digits == 1 and draw(st.booleans())

    def number(value: int) -> str:
        return f"{value:2d}" if blank else f"{value:0{digits}d}"

    half = draw(st.sampled_from(["", "AM", " am", " p.m.", " PM"]))
    if half:
        local = local.replace(hour=local.hour % 12 + 12 * ("p" in half.lower()))
    hour = local.hour if not half else (local.hour % 12 or 12)
    dash = draw(st.sampled_from(":/-."))
    day = f"{local.year:04d}{dash}{number(local.month)}{dash}{number(local.day)}"
    clock = f"{number(hour)}:{number(local.minute)}:{number(local.second)}"
    fraction = draw(st.sampled_from(["", ".25", ",250"]))
    offset = draw(st.sampled_from(["", "Z", "+02:00", "-0530", " +14:00"]))
    between = draw(st.sampled_from(" T" if digits == 2 else " "))
    minutes = {"+02:00": 120, "-0530": -330, " +14:00": 840}.get(offset, 0)
    moment = local.replace(microsecond=250_000 if fraction else 0, tzinfo=UTC) - timedelta(minutes=minutes)
    return f"{day}{between}{clock}{fraction}{half}{offset}", moment


@given(exif_forms())
def test_every_form_of_an_exif_time_is_read_back(written: tuple[str, datetime]) -> None:
    """Dashes, slashes, dots, T, blanks or nothing for zeros, halves of the day, fractions, offsets, in any mixture."""
    text, moment = written
    assert named("/data/lot/x.jpg", exif_time=text, mtime_ns=0) == Naming("lot", "folder", moment, "exif")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021:03:27 12:53:37 AM", NOON - timedelta(hours=12)),
        ("2021:03:27 12:53:37 PM", NOON),
        ("2021:03:27 13:53:37 PM", NOON + timedelta(hours=1)),
        ("2021:03:27 13:53:37 AM", None),
        ("2021:03:27 00:53:37 PM", None),
        ("2021:03:27T14:53:37+02:00", NOON),
        ("9999:12:31 11:59:59 PM-10:00", None),
        ("0001:01:01 12:00:00 AM+10:00", None),
        ("2021:02:30 12:53:37", None),
        ("2021:03:27 24:00:00", None),
        ("2021:03:27", None),
        ("21:03:27 12:53:37", None),
    ],
)
def test_the_edges_of_exif_times(text: str, expected: datetime | None) -> None:
    """Twelve is the hour before one; an hour that its half of the day does not have, or no calendar, is no time."""
    naming = named("/data/lot/x.jpg", exif_time=text, mtime_ns=10**40)
    assert naming == Naming("lot", "folder", expected, "exif" if expected else None)


anything = st.text(st.characters()) | st.binary().map(os.fsdecode)
stampish = st.text("0123456789-_.:T Z+/c\udce9")


@given(
    path=anything | stampish,
    root=anything | st.just("/"),
    mtime_ns=st.integers(),
    exif_time=st.none() | anything | stampish,
    exif_offset=st.none() | anything | stampish,
    camera=st.none() | anything,
    pattern=st.sampled_from([None, r"(?P<camera>.*)/(?P<timestamp>.*)", r"(?P<timestamp>.+)|(?P<camera>x)"]),
)
def test_any_text_gets_a_naming(pattern: str | None, path: str, root: str, **more: Any) -> None:
    """No text raises: the camera is storable and not empty, and a time, where there is one, is UTC with its source."""
    naming = named(path, root=root, pattern=compile_pattern(pattern) if pattern else None, **more)
    assert naming.camera == naming.camera.encode("utf-8").decode("utf-8").strip() != ""
    assert naming.camera_source in {"option", "pattern", "name", "folder"}
    assert (naming.captured_at is None) == (naming.captured_at_source is None)
    assert naming.captured_at is None or naming.captured_at.tzinfo is UTC


def test_names_of_the_original_data_set(shared_data: Path) -> None:
    """The 1 080 original names give the four cameras, each with a time from its name."""
    names = (shared_data / "original_file_names.txt").read_text().splitlines()
    namings = [named(f"/data/lot/{name}", mtime_ns=0) for name in names if name.endswith(".png")]
    counts = {camera: sum(n.camera == camera for n in namings) for camera in {n.camera for n in namings}}
    assert counts == {"c10": 126, "c20": 324, "c21": 146, "c23": 484}
    assert {(n.camera_source, n.captured_at_source) for n in namings} == {("name", "name")}


def test_text_stamps_are_utc(shared_data: Path) -> None:
    """Read as UTC, the text stamps of c21 lie 3 to 4 s from the epoch stamps of c23, which was triggered with it."""
    names = (shared_data / "original_file_names.txt").read_text().splitlines()
    times = {name: named(f"/data/lot/{name}", mtime_ns=0).captured_at or NOON for name in names}
    epochs = [time for name, time in times.items() if name.startswith("c23-")]
    texts = [time for name, time in times.items() if name.startswith("c21_")]
    nearest_s = [min(abs((text - epoch).total_seconds()) for epoch in epochs) for text in texts]
    near_s = [distance_s for distance_s in nearest_s if distance_s <= 10]
    assert len(near_s) > 100
    assert 3 <= median(near_s) <= 4


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_camera_is_in_nfc(form: Literal["NFC", "NFD"]) -> None:
    """Each source of a camera gives it in NFC, however the path, the pattern's match or the option is written."""
    door = unicodedata.normalize(form, "T\u00fcr")
    pattern = compile_pattern(r"(?P<camera>[^/]+)/[^/]+$")
    cameras = [
        name_image(f"/lot/{door}_20210327_125337.jpg", root="/lot", mtime_ns=0).camera,
        name_image(f"/lot/{door}/1.jpg", root="/lot", mtime_ns=0).camera,
        name_image(f"/lot/{door}/1.jpg", root="/lot", mtime_ns=0, pattern=pattern).camera,
        name_image("/lot/1.jpg", root="/lot", mtime_ns=0, camera=door).camera,
    ]
    assert cameras == ["T\u00fcr"] * 4
