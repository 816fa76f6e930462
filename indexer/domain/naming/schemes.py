"""How cameras and recorders name their files: a table of makers, each with an example and a pattern.

Each pattern is one that a person may type after `--pattern`; `--scheme NAME` is short for it. The rules of
`indexer.domain.naming.reading` read nearly all of these paths without a pattern. Where a name has one meaning only if
the maker is known (two digits of a year, the month first), the scheme is `certain`: no other maker writes such names,
and its pattern is tried first, in the file's name alone.
"""

from dataclasses import dataclass

_DATE = r"(?P<date>\d{4}[-_.]?\d\d[-_.]?\d\d)"


@dataclass(frozen=True)
class Scheme:
    """How one maker names files.

    `example`: a path; `camera` and `captured_at`: what it means, the time as text in UTC, empty if the name has none.
    """

    name: str
    maker: str
    example: str
    camera: str
    captured_at: str
    pattern: str
    certain: bool = False


SCHEMES = (
    Scheme(
        "amcrest",
        "Amcrest, by FTP",
        "AMC0123/2024-05-01/pic_001/12.30.45[M][0@0][0].jpg",
        "AMC0123",
        "2024-05-01 12:30:45",
        rf"{_DATE}/[^/]+/(?:jpg/)?(?P<time>\d\d[./]\d\d[./]\d\d)\[[^/]*$",
    ),
    Scheme(
        "arlo",
        "Arlo, downloads",
        "Porch/1714566645123.jpg",
        "Porch",
        "2024-05-01 12:30:45.123",
        r"(?P<epoch>\d{13})[^/]*$",
    ),
    Scheme(
        "axis",
        "Axis, to a share or card",
        "axis-ACCC8E012345/20240501/12/20240501_123045_678_E.jpg",
        "axis-ACCC8E012345",
        "2024-05-01 12:30:45.678",
        r"(?P<timestamp>\d{8}_\d{6}_\d{3})_[^/]*$",
    ),
    Scheme(
        "axis-image",
        "Axis, Foscam: image and a year of two digits",
        "Yard/image24-05-01_12-30-45-67.jpg",
        "Yard",
        "2024-05-01 12:30:45",
        r"(?:^|/)image(?P<year>\d\d)-(?P<month>\d\d)-(?P<day>\d\d)_(?P<hour>\d\d)-(?P<minute>\d\d)-(?P<second>\d\d)"
        r"(?:-\d\d)?\.[^./]*$",
        certain=True,
    ),
    Scheme(
        "blink",
        "Blink, downloads",
        "Porch-2024-05-01T12-30-45-00-00.jpg",
        "Porch",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)[-_](?P<timestamp>\d{4}-\d\d-\d\d[Tt]\d\d-\d\d-\d\d)[^/]*$",
    ),
    Scheme(
        "blueiris",
        "Blue Iris",
        "FrontCam.20240501_123045123.4.jpg",
        "FrontCam",
        "2024-05-01 12:30:45.123",
        r"(?P<camera>[^/]+?)\.(?P<timestamp>\d{8}_\d{6}(?:\d{3})?)[^/\d][^/]*$",
    ),
    Scheme(
        "browning",
        "Browning trail cameras",
        "Creek/DCIM/100_BTCF/IMG_0001.JPG",
        "Creek",
        "",
        r"(?P<camera>[^/]+)/(?:DCIM/)?1\d\d_BTCF/[^/]+$",
    ),
    Scheme(
        "bushnell",
        "Bushnell trail cameras: month, day and a counter",
        "Ridge/DCIM/100EK113/05010123.JPG",
        "Ridge",
        "",
        r"(?P<camera>[^/]+)/(?:DCIM/)?1\d\dEK\d{3}/[^/]+$",
    ),
    Scheme(
        "camtrapr",
        "camtrapR, imageRename",
        "StationA__2024-05-01__12-30-45(1).JPG",
        "StationA",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)__(?P<date>\d{4}-\d\d-\d\d)__(?P<time>\d\d-\d\d-\d\d)[^/]*$",
    ),
    Scheme(
        "dahua",
        "Dahua, by FTP",
        "AMC0123/2024-05-01/001/jpg/12/30/45[M][0@0][0].jpg",
        "AMC0123",
        "2024-05-01 12:30:45",
        rf"{_DATE}/[^/]+/jpg/(?P<time>\d\d[./]\d\d[./]\d\d)\[[^/]*$",
    ),
    Scheme(
        "dlink",
        "D-Link and Trendnet: A and a year of two digits; Foscam: P",
        "Hall/A24050112304510.jpg",
        "Hall",
        "2024-05-01 12:30:45",
        r"(?:^|/)[AP](?P<year>\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)\d\d"
        r"\.[^./]*$",
        certain=True,
    ),
    Scheme(
        "dlink-model",
        "D-Link: the model and hundredths of a second",
        "DCS-932L2024050112304510.jpg",
        "DCS-932L",
        "2024-05-01 12:30:45.100",
        r"(?:^|/)(?P<camera>DCS-?\d{3,4}[A-Z]{0,3}\d?)[-_]?(?P<timestamp>(?:19|20)\d{14})\.[^./]*$",
        certain=True,
    ),
    Scheme(
        "eufy",
        "Eufy, downloads",
        "Drive/20240501123045.jpg",
        "Drive",
        "2024-05-01 12:30:45",
        r"(?P<timestamp>\d{14})[^/\d]*$",
    ),
    Scheme(
        "foscam",
        "Foscam, by FTP",
        "FI9900P_00626E/snap/MDAlarm_20240501-123045.jpg",
        "FI9900P_00626E",
        "2024-05-01 12:30:45",
        r"(?:MDAlarm|HMDAlarm|Schedule|[A-Za-z]+)_(?P<timestamp>\d{8}-\d{6})[^/]*$",
    ),
    Scheme(
        "frigate",
        "Frigate, snapshots in clips",
        "clips/front-1714566645.123456-abc123.jpg",
        "front",
        "2024-05-01 12:30:45.123456",
        r"(?P<camera>[^/]+)-(?P<epoch>\d{10}\.\d+)-[^/]*$",
    ),
    Scheme(
        "geovision",
        "GeoVision, by FTP",
        "00-18-ae-a8-da-2a/MOTION/2024-05-01/12/MOTION_2024-05-01-12-30-45-678_001.jpg",
        "00-18-ae-a8-da-2a",
        "2024-05-01 12:30:45.678",
        r"[A-Z]+_(?P<timestamp>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3})_\d+\.[^./]*$",
    ),
    Scheme(
        "gopro",
        "GoPro, time lapse",
        "Dam/DCIM/100GOPRO/G0010001.JPG",
        "Dam",
        "",
        r"(?P<camera>[^/]+)/(?:DCIM/)?1\d\dGOPRO/[^/]+$",
    ),
    Scheme(
        "hikvision",
        "Hikvision, by FTP",
        "192.168.1.64_01_20240501123045678_MOTION_DETECTION.jpg",
        "192.168.1.64_01",
        "2024-05-01 12:30:45.678",
        r"(?P<camera>[^/]+?)_(?P<timestamp>\d{17})[^/\d][^/]*$",
    ),
    Scheme(
        "milesight",
        "Milesight",
        "milesight_2024-05-01_123045_MD.jpg",
        "milesight",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)_(?P<timestamp>\d{4}-\d\d-\d\d_\d{6})[^/]*$",
    ),
    Scheme(
        "mobotix",
        "Mobotix, m and the time",
        "Gate/m20240501123045.jpg",
        "Gate",
        "2024-05-01 12:30:45",
        r"(?:^|/)m(?P<timestamp>\d{14}(?:\d{3})?)\.[^./]*$",
        certain=True,
    ),
    Scheme(
        "motion",
        "Motion, %v-%Y%m%d%H%M%S-%q: the number of the event first",
        "Yard/01-20240501123045-00.jpg",
        "Yard",
        "2024-05-01 12:30:45",
        r"(?:^|/)(?P<event>\d+)-(?P<timestamp>\d{14})-[^/]*$",
    ),
    Scheme(
        "motioneye",
        "motionEye, %Y-%m-%d/%H-%M-%S",
        "Camera1/2024-05-01/12-30-45.jpg",
        "Camera1",
        "2024-05-01 12:30:45",
        rf"{_DATE}/(?P<time>\d\d-\d\d-\d\d)[^/]*$",
    ),
    Scheme(
        "phenocam",
        "PhenoCam",
        "harvard_IR_2024_05_01_123045.jpg",
        "harvard_IR",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)_(?P<timestamp>\d{4}_\d\d_\d\d_\d{6})[^/]*$",
    ),
    Scheme(
        "qnap",
        "QNAP Surveillance Station",
        "QNAP_cam2_2024-05-01_12.30.45_000.jpg",
        "QNAP_cam2",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)_(?P<timestamp>\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d)[^/]*$",
    ),
    Scheme(
        "raspistill",
        "raspistill -ts, libcamera-still --timestamp: seconds since 1970",
        "Nest box/image1714566645.jpg",
        "Nest box",
        "2024-05-01 12:30:45",
        r"(?P<epoch>\d{10})\.[^./]*$",
    ),
    Scheme(
        "reconyx",
        "Reconyx trail cameras",
        "StationA/DCIM/100RECNX/RCNX0001.JPG",
        "StationA",
        "",
        r"(?P<camera>[^/]+)/(?:DCIM/)?1\d\dRECNX/[^/]+$",
    ),
    Scheme(
        "reolink",
        "Reolink, by FTP",
        "2024/05/01/Front Door_00_20240501123045.jpg",
        "Front Door_00",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)_(?P<timestamp>\d{14})[^/\d]*$",
    ),
    Scheme(
        "ring",
        "Ring, downloads",
        "Front_Door-2024-05-01T12-30-45Z.jpg",
        "Front_Door",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)[-_](?P<timestamp>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)[^/]*$",
    ),
    Scheme(
        "spypoint",
        "Spypoint trail cameras",
        "Bridge/DCIM/100DSCIM/PICT0001.JPG",
        "Bridge",
        "",
        r"(?P<camera>[^/]+)/(?:DCIM/)?1\d\dDSCIM/[^/]+$",
    ),
    Scheme(
        "synology",
        "Synology Surveillance Station",
        "cam1-20240501-123045.123-1714566645.jpg",
        "cam1",
        "2024-05-01 12:30:45.123",
        r"(?P<camera>[^/]+?)-(?P<timestamp>\d{8}-\d{6}(?:\.\d{3})?)[^/]*$",
    ),
    Scheme(
        "tapo",
        "TP-Link and Tapo",
        "Attic/20240501_123045_tp00012.jpg",
        "Attic",
        "2024-05-01 12:30:45",
        r"(?P<timestamp>\d{8}_\d{6})_[^/]*$",
    ),
    Scheme(
        "unifi",
        "UniFi Protect in the USA: the month first",
        "UVC G3 Flex - 5-1-2024, 12.30.45 PM.jpg",
        "UVC G3 Flex",
        "2024-05-01 12:30:45",
        r"(?:^|/)(?P<camera>[^/]+?) (?:- )?(?P<month>\d{1,2})-(?P<day>\d{1,2})-(?P<year>\d{4}), "
        r"(?P<hour>\d{1,2})\.(?P<minute>\d\d)\.(?P<second>\d\d)[ \u202f]?(?P<ampm>[AaPp]\.?[Mm]\.?)[^/]*$",
        certain=True,
    ),
    Scheme(
        "unifi-iso",
        "UniFi Protect, clock of 12 hours",
        "G4 Bullet 2024-05-01 1.05.09 PM.jpg",
        "G4 Bullet",
        "2024-05-01 13:05:09",
        r"(?P<camera>[^/]+?) (?P<date>\d{4}-\d\d-\d\d) (?P<time>\d{1,2}\.\d\d\.\d\d(?: [AaPp][Mm])?)[^/]*$",
    ),
    Scheme(
        "vivotek",
        "Vivotek, prefix, date and time",
        "Dock_20240501123045_1_pre.jpg",
        "Dock",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+?)_(?P<timestamp>\d{14})(?:_\d+_(?:pre|trg|pos))?\.[^./]*$",
    ),
    Scheme(
        "wyze",
        "Wyze, a folder for each hour and minute",
        "wyze/20240501/12/30/45.jpg",
        "wyze",
        "2024-05-01 12:30:45",
        rf"{_DATE}/(?P<hour>\d\d)/(?P<minute>\d\d)/(?P<second>\d\d)[^/\d]*$",
    ),
    Scheme(
        "wyze-alarm",
        "Wyze, alarms",
        "wyze/alarm/20240501/20240501_12_30_45.jpg",
        "wyze",
        "2024-05-01 12:30:45",
        r"(?P<timestamp>\d{8}_\d\d_\d\d_\d\d)[^/\d]*$",
    ),
    Scheme(
        "yi",
        "Yi, a folder for each hour",
        "yi/2024Y05M01D12H/E130M45S60.jpg",
        "yi",
        "2024-05-01 12:30:45",
        r"(?P<year>\d{4})Y(?P<month>\d\d)M(?P<day>\d\d)D(?P<hour>\d\d)H/(?:E\d)?(?P<minute>\d\d)M(?P<second>\d\d)S[^/]*$",
    ),
    Scheme(
        "zoneminder",
        "ZoneMinder, a folder for each event",
        "events/12/2024-05-01/123/00001-capture.jpg",
        "12",
        "",
        r"(?P<camera>[^/]+)/\d{4}-\d\d-\d\d/\d+/\d+-(?:capture|analyse)\.[^./]*$",
    ),
    Scheme(
        "zoneminder-deep",
        "ZoneMinder, deep storage",
        "events/12/24/05/01/12/30/45/00001-capture.jpg",
        "12",
        "2024-05-01 12:30:45",
        r"(?P<camera>[^/]+)/(?P<year>\d\d)/(?P<month>\d\d)/(?P<day>\d\d)/(?P<hour>\d\d)/(?P<minute>\d\d)/(?P<second>\d\d)/[^/]*$",
    ),
)


def find_scheme(name: str) -> Scheme | None:
    """The scheme of that name, in any case of letters; None if there is none."""
    return next((scheme for scheme in SCHEMES if scheme.name == name.strip().lower()), None)
