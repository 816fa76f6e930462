"""Which paths are one camera, and what it is called: nothing is joined but through dates, hours, minutes and DCIM."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.naming.cameras import TimeSpan, overlap
from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import PathFile, name_tree
from tests.support.names import named_tree

DATES = ("2024-05-01", "20240502", "2024_05_03", "2024/05/04", "2024-W18", "May 5, 2024")
HOURS = ("12", "13")
DCF = ("DCIM", "100RECNX", "101RECNX")
WORDS = ("snap", "images", "pic_001")
PLACES = ("north", "south", "cams", "1", "2", "gate")
FILES = ("IMG_0001.jpg", "RCNX0002.JPG", "gate_20240501_123045.jpg", "c10-1623871098865.png", "2024-05-01_12-30-45.jpg")
PLACE_NAMES = ("north", "south", "cams", "gate", "cam1", "Site A", "x", "100NORTH")

folders = st.lists(st.sampled_from([*DATES, *HOURS, *DCF, *WORDS, *PLACES]), min_size=1, max_size=5)
paths = st.builds(lambda parts, file: "/".join([*parts, file]), folders, st.sampled_from(FILES))
START = datetime(2024, 5, 1, tzinfo=UTC)


@st.composite
def among_generic(draw: st.DrawFn, places: list[str]) -> str:
    """The path of a file in these folders, with folders of dates and `DCIM` among them, and dates in their names."""
    parts = list[str]()
    for place in places:
        parts += draw(st.lists(st.sampled_from(DATES), max_size=1))
        form = draw(st.sampled_from(["{}", "{}", "{}_2024-05-01", "20240502 {}"]))
        parts.append(form.format(place))
    parts += draw(st.sampled_from([[], ["2024-05-01"], ["DCIM", "100RECNX"], ["2024", "05", "03"], ["101RECNX"]]))
    return "/".join([*parts, draw(st.sampled_from(["IMG_0001.jpg", "RCNX0002.JPG", "a.png"]))])


@given(st.data(), st.lists(st.sampled_from(PLACE_NAMES), min_size=1, max_size=3), st.booleans())
def test_joined_through_generic_folders_alone(data: st.DataObject, places: list[str], is_same: bool) -> None:
    """Two paths are one camera exactly where the folders that are no dates and no `DCIM` are the same."""
    others = places if is_same else data.draw(st.lists(st.sampled_from(PLACE_NAMES), min_size=1, max_size=3))
    files = [data.draw(among_generic(one)) for one in (places, others)]
    named = named_tree("/data/lot", files)
    assert (named[files[0]].camera == named[files[1]].camera) is (places == others), named


@given(st.lists(paths, min_size=2, max_size=6, unique=True))
def test_hours_and_words_join_no_places(files: list[str]) -> None:
    """Whatever lies below a date, files in two places whose names say no camera are two cameras."""
    files = [file for file in files if "gate_" not in file and "c10-" not in file]
    named = named_tree("/data/lot", files)
    for one, other in itertools.combinations(files, 2):
        if named[one].camera == named[other].camera:
            assert _places(one) == _places(other), named


def _places(path: str) -> list[str]:
    """The folders of a path that are places; numbers may be channels, hours or days, which other tests tell apart."""
    generic = {*DCF, *WORDS, *HOURS, *DATES, "2024", "05", "04"}
    return [part for part in path.split("/")[:-1] if part not in generic and not part.isdecimal()]


@given(st.lists(paths, min_size=2, max_size=6, unique=True), st.randoms())
def test_order_does_not_matter(files: list[str], random: object) -> None:
    """The same paths in another order have the same cameras."""
    shuffled = list(files)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert named_tree("/data/lot", files) == named_tree("/data/lot", shuffled)


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["A/cam1/IMG_1.jpg", "B/cam1/IMG_1.jpg"], ["A/cam1", "B/cam1"]),
        (["A/x/cam1/IMG_1.jpg", "B/x/cam1/IMG_1.jpg"], ["A/x/cam1", "B/x/cam1"]),
        (["A/images/cam1/IMG_1.jpg", "B/images/cam1/IMG_1.jpg"], ["A/cam1", "B/cam1"]),
        (
            ["front/Reolink_00_20240501123045.jpg", "back/Reolink_00_20240502123045.jpg"],
            ["front/Reolink_00", "back/Reolink_00"],
        ),
        (["a/01_20240501123045.jpg", "b/01_20240502123045.jpg"], ["a/01", "b/01"]),
        (["gate/IMG_1.jpg", "gate/snap/IMG_2.jpg"], ["gate", "gate/snap"]),
        (["gate/2024-05-01/1/IMG_1.jpg", "gate/2024-05-01/2/IMG_1.jpg"], ["gate/1", "gate/2"]),
        (["gate/2024-05-01/1/IMG_1.jpg", "gate/2024-05-02/1/IMG_2.jpg"], ["gate", "gate"]),
        (["2024-05-01/gate/IMG_1.jpg", "2024-05-02/gate/IMG_1.jpg"], ["gate", "gate"]),
        (["2024/05/01/gate/IMG_1.jpg", "2024/06/02/gate/IMG_1.jpg"], ["gate", "gate"]),
        (["x/2024-05-01/ch1/IMG_1.jpg", "x/2024-05-02/ch1/IMG_1.jpg"], ["ch1", "ch1"]),
        (["A/2024-05-01/gate/IMG_1.jpg", "B/2024-05-02/gate/IMG_1.jpg"], ["A/gate", "B/gate"]),
        (["2024-05-01/007/gate/IMG_1.jpg", "2024-05-01/008/gate/IMG_1.jpg"], ["007/gate", "008/gate"]),
        (["2024-05-01/12/gate/IMG_1.jpg", "2024-05-01/13/gate/IMG_1.jpg"], ["12/gate", "13/gate"]),
        (["x/01/a.jpg", "x/01_20240501123045.jpg"], ["/data/lot/x/01", "/data/lot/x/01*"]),
        (["1/a.jpg", "2024-05-01/1/a.jpg"], ["1", "lot"]),
        (["DCIM/gate/IMG_1.jpg", "gate/IMG_1.jpg"], ["gate", "gate"]),
        (["c10/IMG_1.jpg", "c10/c10-1623871098865.png"], ["c10", "c10"]),
        (["x/c10/IMG_1.jpg", "y/c10-1623871098865.png"], ["x/c10", "c10"]),
        (["x/DCIM/100RECNX/IMG_1.jpg", "x/DCIM/101RECNX/IMG_1.jpg"], ["x", "x"]),
        (["100NORTH/IMG_1.jpg", "101SOUTH/IMG_1.jpg"], ["100NORTH", "101SOUTH"]),
        (["gate/May 2024/a.jpg", "gate/2024-June/a.jpg"], ["gate", "gate"]),
        (["gate/2024/05/a.jpg", "gate/2024/06/a.jpg"], ["gate", "gate"]),
        (["x/Reolink_20240501123045.jpg", "x/Reolink_20240501123145.jpg"], ["x", "x"]),
        (["x/Reolink_20240501123045.jpg", "x/Foscam_20240501123145.jpg"], ["x/Reolink", "x/Foscam"]),
        (["1/2024-05-01/7/snapshot.jpg", "1/2024-05-01/8/snapshot.jpg"], ["1", "1"]),
        (["a/2024-05-01/001/jpg/12/30.45[M][0@0][0].jpg", "a/2024-05-01/001/jpg/13/30.45[M][0@0][0].jpg"], ["a", "a"]),
        (["snap/MDAlarm_20240501-123045.jpg", "snap/Schedule_20240501-123145.jpg"], ["lot", "lot"]),
        (["x/20240501123045_burst1.jpg", "x/20240501123045_burst2.jpg"], ["x", "x"]),
        (["x/person_20240501123045.jpg", "x/vehicle_20240501123145.jpg"], ["x", "x"]),
        (["A_2024-05-01/IMG_1.jpg", "A_2024-05-02/IMG_1.jpg", "B_2024-05-02/IMG_1.jpg"], ["A", "A", "B"]),
        (["20240501_A/IMG_1.jpg", "20240502 A/IMG_1.jpg", "A/IMG_1.jpg"], ["A", "A", "A"]),
        (["x/A_2024-05-01/IMG_1.jpg", "y/A_2024-05-01/IMG_1.jpg"], ["x/A", "y/A"]),
        (["x/Alarm_2024-05-01_12-30-45/1.jpg", "x/Alarm_2024-05-01_12-31-45/1.jpg"], ["x", "x"]),
        (["x/A_12345678/IMG_1.jpg", "x/A_12345679/IMG_1.jpg"], ["A_12345678", "A_12345679"]),
        (["rec/2024-05-01/12/gate/30.45.jpg", "rec/2024-05-01/13/gate/30.45.jpg"], ["gate", "gate"]),
        (["x/240501/IMG_1.jpg", "x/240502/IMG_1.jpg"], ["x", "x"]),
        (["x/240501/20240501_120000.jpg", "x/240502/20240502_120000.jpg"], ["x", "x"]),
        (["x/240501/20240601_120000.jpg", "x/240502/20240601_120000.jpg"], ["x/240501", "x/240502"]),
        (["x/249901/IMG_1.jpg", "x/249902/IMG_1.jpg"], ["249901", "249902"]),
        (["1/2024-05-01/101205/snapshot.jpg", "1/2024-05-01/101206/snapshot.jpg"], ["1", "1"]),
        (["x/person_20240501123045.jpg", "y/person_20240502123145.jpg"], ["x", "y"]),
        (["x/gate_person_20240501123045.jpg", "x/gate_vehicle_20240501123145.jpg"], ["gate", "gate"]),
        (["x/gate_alarm_20240501123045.jpg", "x/schedule_gate_20240501123145.jpg"], ["gate", "gate"]),
        (["x/gate-snap_image-20240501123045.jpg", "x/gate_record_20240501123145.jpg"], ["gate", "gate"]),
    ],
)
def test_names_of_two(files: list[str], cameras: list[str]) -> None:
    """Two sources of one name get longer names; one source keeps the short one."""
    names = named_tree("/data/lot", files)
    assert [names[file].camera for file in files] == cameras


@pytest.mark.parametrize(
    "text",
    [
        "milesight_",
        "DCS-932L",
        "192.168.1.64_01_",
        "192.168.1.64_",
        "QNAP_cam2_",
        "axis-1234_",
        "Argus 3 Pro_00_",
        "Reolink Duo 2_00_",
        "Reolink TrackMix PoE_00_",
        "AXIS P3245-LVE_",
        "192.168.1.108_IPC_main_",
        "10.0.0.64_Camera 01_",
    ],
)
def test_words_of_makers_join_no_folders(text: str) -> None:
    """What a factory or a program writes names cameras of two folders apart, whatever their times; alone it is one."""
    files = [f"{station}/{text}2024050{day}123045.jpg" for day, station in enumerate(("North", "South"), 1)]
    named = named_tree("/data/lot", files)
    camera = text.removesuffix("_")
    assert [named[file].camera for file in files] == [f"North/{camera}", f"South/{camera}"]
    assert named_tree("/data/lot", files[:1])[files[0]].camera == camera


@pytest.mark.parametrize(
    "text",
    [
        "RecM03_",
        "RecS03_",
        "RingVideo_",
        "clip_",
        "REC_",
        "EVT_",
        "NO",
        "EV",
        "PA",
        "FILE",
        "DJI_",
        "WhatsApp Image ",
        "signal-",
        "FB_IMG_",
        "C360_",
        "Screenshot from ",
        "00001IMG_00001_BURST",
        "out",
        "cap",
    ],
)
def test_words_that_are_no_cameras(text: str) -> None:
    """What all cameras or programs of a kind write before the time is no camera: the folder is, in each place."""
    files = [f"{station}/{text}2024050{day}123045.jpg" for day, station in enumerate(("North", "South"), 1)]
    assert [naming.camera for naming in named_tree("/data/lot", files).values()] == ["North", "South"]


@pytest.mark.parametrize("name", ["gate_out", "NO", "cap", "Rec01", "Nest box", "Ring road", "signal box", "file room"])
def test_words_of_names(name: str) -> None:
    """Such words stay part of a name, and are names of their own where they are not glued to the time."""
    file = f"lot/{name}_20240501123045.jpg"
    assert named_tree("/data", [file])[file].camera == name


@pytest.mark.parametrize("file", ["20240501_120000.png", "Reolink_00_20240501120000.png", "2024-05-01_1200.png"])
@pytest.mark.parametrize("folder", ["{}", "{}/05", "{}-05", "{}/May"])
def test_cameras_called_like_years(folder: str, file: str) -> None:
    """Folders that look like years, and whose files are of another one, are cameras, with months below."""
    files = [f"cams/{folder.format(number)}/{file}" for number in (2001, 2002)]
    named = named_tree("/data/lot", files)
    assert len({named[one].camera for one in files}) == 2


def test_a_given_name_in_folders_called_like_years() -> None:
    """A camera that its files name has a source in each such folder, so that their times are compared."""
    files = [PathFile(f"/data/cams/{number}/c10_20240501_120000.png", 0) for number in (2001, 2002)]
    claimed = name_tree(files, siblings=(), rules=RuleBook({})).claimed.values()
    assert {(one.camera, one.source) for one in claimed} == {("c10", f"/data/cams/*/{year}") for year in (2001, 2002)}


@pytest.mark.parametrize(
    "files",
    [
        ["cams/2023/20230501_120000.png", "cams/2024/20240501_120000.png"],
        ["cams/2023/20240101_000001.png", "cams/2024/20240501_120000.png"],
        ["cams/2023/12/20231231_235959.png", "cams/2024/01/20231231_235959.png"],
        ["cams/2023/IMG_1.jpg", "cams/2024/IMG_1.jpg"],
        ["cams/2023/05/01/12-30-45.jpg", "cams/2024/05/01/12-30-45.jpg"],
    ],
)
def test_years_of_one_camera(files: list[str]) -> None:
    """Folders of years whose files are of these years, or a day beside, are one camera."""
    named = named_tree("/data/lot", files)
    assert {named[one].camera for one in files} == {"cams"}


@pytest.mark.parametrize(
    ("one", "other"), [("gate", "gate "), ("G\u00e4rten", "Ga\u0308rten"), ("a\udcff", r"a\xff"), ("x/ ", "x/  ")]
)
def test_folders_whose_names_look_the_same(one: str, other: str) -> None:
    """Two folders whose names differ in what no name of a camera shows are two cameras; naming them ends."""
    names = named_tree("/data/lot", [f"{one}/IMG_1.jpg", f"{other}/IMG_1.jpg"])
    assert len({naming.camera for naming in names.values()}) == 2


def named_beside(known: dict[str, list[str]], *files: str) -> list[str]:
    """The cameras of files in a tree whose index has these cameras."""
    paths = [PathFile(f"/data/{file}", 0) for file in files]
    names = name_tree(paths, siblings=(), rules=RuleBook({})).with_assigned_names(known)
    return [names[path.path].camera for path in paths]


def test_a_camera_of_the_index_keeps_its_name() -> None:
    """The name of a known camera is for its own folders; a folder of the same name elsewhere gets a longer one."""
    known = {"cam1": ["/data/North/cam1"]}
    assert named_beside(known, "North/cam1/a.jpg", "South/cam1/a.jpg") == ["cam1", "South/cam1"]
    assert named_beside({"cam1": ["/data/North"]}, "North/x/cam1/a.jpg") == ["x/cam1"]
    assert named_beside({"cam1": [], "South/cam1": []}, "South/cam1/a.jpg") == ["data/South/cam1"]


@given(st.lists(st.lists(paths, min_size=1, max_size=3), min_size=2, max_size=4))
def test_batches_split_and_join_nothing(batches: list[list[str]]) -> None:
    """In whatever batches paths come, those of one source get one camera, and no others get it but by their names."""
    known: dict[str, set[str]] = {}
    cameras: dict[str, set[str]] = {}
    given: dict[str, set[str]] = {}
    for batch in batches:
        files = [PathFile(f"/data/lot/{file}", 0) for file in sorted(set(batch))]
        owners = {source: min(names) for source, names in cameras.items()}
        named = name_tree(files, siblings=(), rules=RuleBook({})).with_assigned_names(known, owners=owners)
        for naming in named.values():
            known.setdefault(naming.camera, set()).add(naming.source)
            if naming.claim is not None and naming.claim.is_given:
                given.setdefault(naming.camera, set()).add(naming.source)
            else:
                cameras.setdefault(naming.source, set()).add(naming.camera)
    assert all(len(names) == 1 for names in cameras.values())
    folders = [(camera, source) for source, names in cameras.items() for camera in names]
    unnamed = [camera for camera, source in folders if source not in given.get(camera, ())]
    assert len(unnamed) == len(set(unnamed)), "names of files alone join two folders, and only those that they lie in"


def span(first: int | None, last: int | None, *, is_complete: bool = True) -> TimeSpan:
    """A span of hours."""
    times = (None if hour is None else START + timedelta(hours=hour) for hour in (first, last))
    return TimeSpan(*times, is_complete=is_complete)


@pytest.mark.parametrize(
    ("spans", "confirmed", "expected"),
    [
        ([span(0, 5)], [], False),
        ([span(0, 5), span(6, 9)], [], False),
        ([span(6, 9), span(0, 5)], [], False),
        ([span(0, 6), span(6, 9)], [], True),
        ([span(0, 9), span(3, 4)], [], True),
        ([span(0, 5), span(6, 9, is_complete=False)], [], True),
        ([span(0, 5), span(None, None, is_complete=False)], [], True),
        ([span(0, 9), span(3, 4)], ["0", "1"], False),
        ([span(0, 9), span(3, 4), span(20, 21)], ["0", "1"], False),
        ([span(0, 9), span(3, 4), span(8, 21)], ["0", "1"], True),
    ],
)
def test_times_that_overlap(spans: list[TimeSpan], confirmed: list[str], expected: bool) -> None:
    """Two folders at one time, or at unknown times, may be two cameras, unless a person confirmed both."""
    assert overlap({str(number): one for number, one in enumerate(spans)}, confirmed=confirmed) is expected


@pytest.mark.parametrize("word", ["clip", "Export", "backup", "downloads"])
def test_a_word_for_how_files_came_beside_a_date_is_no_camera(word: str) -> None:
    """Such a folder is passed over, as one of a date alone is; a folder of two times is, too."""
    assert read_folder(f"/data/gate/{word}_2024-05-01").camera_folder == "/data/gate"
    assert read_folder(f"/data/gate/{word}_20240501_120000").camera_folder == "/data/gate"
    assert read_folder("/data/gate/StationA_2024-05-01").camera_folder == "/data/gate/StationA"
