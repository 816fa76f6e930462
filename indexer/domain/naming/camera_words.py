"""Which words of a file name can be the name of a camera.

Words for the kind of file (``IMG``, ``snapshot``) and for why it was taken (``MDAlarm``, ``Schedule``, ``person``) are
no cameras: all cameras of that make would become one. Beside a name they say nothing: ``gate_alarm`` and
``gate_schedule`` are ``gate``. The name of a maker is none alone. What a factory or a program writes (a maker with a
channel, a model, an address) tells cameras of one folder apart, but those of any other folder have it, too.
"""

import re
import unicodedata
from enum import Enum
from functools import lru_cache

from indexer.domain.naming.schemes import SCHEMES

SEPARATORS = "-_. ,@"
_BEFORE_TIME, _AFTER_TIME = f"{SEPARATORS}([{{", f"{SEPARATORS})]}}"

_WHY_TAKEN = (
    r"(?:h?mdalarm|iodalarm|soundalarm|schedule|scheduled|manual|alarm|motion|motion_?detection|timing|event|trigger"
    r"|humandetection|persondetection|vmd|pir|snap|snapshot|lastsnap|capture|record|recording)"
)
_KIND_OF_FILE = re.compile(
    rf"(?:{_WHY_TAKEN}|img|image|images|mvimg|pxl|dsc|dscf|dscn|dscim|photo|photos|pic|pict|picture|pictures|screenshot"
    r"|frame|burst|copy|vid|video|win|gopr|still|thumb|thumbnail|preview|timelapse|time-lapse"
    r"|person|people|human|vehicle|animal|pet|face|package|object|intrusion)"
    r"[-_ ]?[0-9]*"
    r"|(?:im|vi|tl)(?:_[0-9]{4}){1,2}",  # RPi Cam Web Interface: the kind and its running numbers
    re.IGNORECASE,
)
_KIND_ALONE = re.compile(
    r"rec(?:[ms][0-9]{2})?|(?:evt|dji)[-_ ]?[0-9]*|file|clip|ringvideo|whatsapp|signal|fb|c360|screenshot from"
    r"|[0-9]+IMG_[0-9]+",
    re.IGNORECASE,
)
"""What recorders, dashcams and telephones write before a time; beside a name it may belong to that."""
_KIND_GLUED = re.compile(r"(?:no|ev|pa|out|cap)|(?-i:e[0-9]{5}m)", re.IGNORECASE)
"""The same, where nothing separates it from the time; else it may be a name."""
_WHY_FIRST_WORD = (
    r"(?:h?mdalarm|iodalarm|soundalarm|alarm|motion|motion_?detection|humandetection|persondetection|vmd|pir|snap"
    r"|snapshot|lastsnap|schedule)"
)
"""Words for why an image was taken that also stand before a name; others begin names: an event hall, a manual gate."""
_COPY_FIRST = re.compile(r"\A(?:(?:copy of|kopie von|copie de|copia de)[-_ ]+)+", re.IGNORECASE)
_WHY_FIRST = re.compile(rf"\A{_WHY_FIRST_WORD}[{SEPARATORS}]+(?=.*[^{SEPARATORS}0-9])", re.IGNORECASE)
_KIND_LAST = re.compile(rf"(?<=.)[{SEPARATORS}]+(?:{_KIND_OF_FILE.pattern})\Z", re.IGNORECASE)
_MAKER = (
    r"(?:reolink|foscam|hikvision|dahua|amcrest|axis|vivotek|mobotix|tapo|tplink|tp-link|dlink|d-link|trendnet|wyze"
    r"|lorex|swann|unifi|synology|arlo|eufy|blink|nest|ring|ezviz|annke|uniview|hanwha|sricam|wansview"
    r"|ipcam|ipcamera|ip camera|netcam|network camera|webcam)"
)
_MODEL_AFTER = (
    r"(?:reolink|foscam|hikvision|dahua|amcrest|vivotek|mobotix|tapo|tplink|tp-link|dlink|d-link|trendnet|lorex|swann"
    r"|unifi|ezviz|annke|uniview|hanwha|sricam|wansview)"
)
"""Makers behind which a model stands; other words may begin a name: a ring road, a nest box."""
_MAKER_ALONE = re.compile(_MAKER, re.IGNORECASE)
_SCHEME_WORDS = "|".join(sorted({scheme.name.partition("-")[0] for scheme in SCHEMES}))
_DEFAULT = re.compile(
    rf"(?:{_MAKER}|{_SCHEME_WORDS}|dcs|ch|chn|channel)[-_ ]?(?:ch|cam|camera)?[-_ ]?[0-9]{{1,4}}|{_SCHEME_WORDS}"
    rf"|{_MODEL_AFTER}[-_ ](?=.*[0-9]).+|axis[-_ ][a-z][0-9]{{4}}.*|argus[-_ ]?[0-9].*"
    r"|(?:[0-9]{1,3}[.-]){3}[0-9]{1,3}(?:[-_ ].+)?",
    re.IGNORECASE,
)
"""Makers with a channel or a model, the word that a maker's files begin with, and addresses, with what follows them."""
_COMMON = re.compile(
    r"(?:(?:ip|web|trail|game|wild|net|cctv|spy|dash)?[-_ ]?(?:cam|camera|kamera|camara)|cctv|[nd]vr|ipc)"
    r"[-_ ]?(?:[0-9]{0,4}|[a-z])"
    r"|(?:site|station|plot|unit|location|position|device|view)[-_ ]?(?:[0-9]{1,4}|[a-z])"
    r"|(?:uvc )?(?:ai|g[2-9])[- ](?:bullet|dome|flex|pro|turret|instant|ptz|theta|360|micro|mini|doorbell)(?: [a-z]+)?"
    r"|(?-i:[A-Z]{2,5}-?[0-9]{3,5}[A-Z]{0,3}[0-9]?(?:-[A-Z0-9]{1,4})?)"
    r"|(?-i:(?=[A-Z-]*[0-9])[A-Z]{2,5}(?:-[A-Z0-9]{1,12}){1,3})|e1(?: (?:zoom|pro|outdoor))?|[a-z]",
    re.IGNORECASE,
)
"""Names that many people give, and models that a program takes for a name: another place may have one, too."""
_CHANNEL_LAST = re.compile(r"[-_ ](?:(?:ch)?[0-9]{1,2}|main|sub)\Z", re.IGNORECASE)
"""What recorders write behind the name of a camera: the channel, and which of its streams."""
_MODEL = re.compile(r"[A-Z]{2,5}-?[0-9]{3,5}[A-Z]{1,3}[0-9]?")
_COUNTER = re.compile(rf"(?P<base>.*[^\W\d_].*?)(?:[{SEPARATORS}]*[0-9]{{4,}}|[{SEPARATORS}]+[0-9]{{3}})")
_ADDRESS = re.compile(r"(?<![0-9A-Za-z])(?:ACCC8E|00408C|B8A44F|E82725)[0-9A-F]{6}(?![0-9A-Za-z])")
"""The address of a camera by Axis, which names its files by it; no part of it is a time or a counter."""
_MOTION_COUNTER = re.compile(r"(?P<base>[0-9]{1,3})-[0-9]{2,}")
_MEASURE = re.compile(r"T[0-9]{2}|v[0-9]+|(?:shot|seq|part|iso|ev)[-_ ]?[0-9]+")
"""A temperature, a version or a part behind a time; `V1` and `EV1` may be cameras."""
_WORD_AND_NUMBER = re.compile(r"(?P<word>[A-Za-z]+)[-_ ]?[0-9]{1,3}")


class CameraText(Enum):
    """What a text in a file name says about the camera."""

    NAME = "name"
    """A name that a person gave."""
    DEFAULT = "default"
    """What a factory or a program writes, as a maker with a channel: a camera of another folder may have it, too."""
    MAKER = "maker"
    """The name of a maker without more: no camera alone, but not the camera of another maker either."""
    NUMBER = "number"
    """A number alone: a channel, or an event, or a running number."""


def storable_text(text: str | None) -> str:
    """The text in a form that can be stored and shown; empty for None.

    It is in NFC, as macOS writes names in NFD and other systems do not. Bytes that are not UTF-8 become backslash
    escapes.
    """
    if text is None:
        return ""
    if text.isascii():
        return text.strip()
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that does not stand for a byte
        raw = text.encode("utf-8", "surrogatepass")
    return unicodedata.normalize("NFC", raw.decode("utf-8", "backslashreplace").strip())


def camera_around(before: str, after: str) -> str | None:
    """The camera in the text before a time, or after it as a word with a number; None if neither is one."""
    text, after = before.rstrip(_BEFORE_TIME), after.lstrip(_AFTER_TIME)
    is_kind = text == before and _KIND_GLUED.fullmatch(text) is not None
    if text and not is_kind and (name := without_kind(text)):
        return name
    if _WORD_AND_NUMBER.fullmatch(after) and not is_kind_of_file(after) and not _MEASURE.fullmatch(after):
        return after
    return None


def find_address(stem: str) -> re.Match[str] | None:
    """The address of a camera in the stem of a file name, where its maker writes it; None if there is none."""
    may_have = "ACCC8E" in stem or "00408C" in stem or "B8A44F" in stem or "E82725" in stem  # as nearly no name
    return _ADDRESS.search(stem) if may_have else None


def is_common_name(text: str) -> bool:
    """Whether a name is one that cameras of several places often have, such as `cam1` or a model, with or without a
    channel."""
    is_name = classify(text) is CameraText.NAME
    while not (_COMMON.fullmatch(text) or (is_name and _DEFAULT.fullmatch(text))):
        shorter = _CHANNEL_LAST.sub("", text)
        if shorter == text:
            return False
        text = shorter
    return True


def without_counter(text: str, *, is_motion: bool = False) -> str:
    """A text beside a time without the number at its end, where that may count events; empty if it may not.

    Short numbers are channels, unless Motion wrote them, and so are those behind a word that numbers cameras.
    """
    match = (_MOTION_COUNTER if is_motion else _COUNTER).fullmatch(text)
    if match is None:
        return ""
    base = match["base"]
    numbers_cameras = not is_motion and (is_common_name(f"{base}1") or classify(f"{base}1") is not CameraText.NAME)
    return "" if numbers_cameras else base


def is_kind_of_file(text: str) -> bool:
    """Whether a text is a word for the kind of a file, or for why it was taken."""
    return _KIND_OF_FILE.fullmatch(text) is not None or _KIND_ALONE.fullmatch(text) is not None


def is_kind_of_folder(text: str) -> bool:
    """Whether a text beside the date of a folder is a word for the kind of its files; the words of recorders may be
    places there."""
    return _KIND_OF_FILE.fullmatch(text) is not None


@lru_cache(maxsize=10_000)
def without_kind(text: str) -> str:
    """A text beside a time without the words for the kind of the file; empty if it is nothing else."""
    text = _COPY_FIRST.sub("", text)
    while text and not is_kind_of_file(text):
        shorter = _WHY_FIRST.sub("", _KIND_LAST.sub("", text))
        if shorter == text:
            return text
        text = shorter
    return ""


def classify(text: str) -> CameraText:
    """What a text before or after a time says about the camera."""
    if text.isascii() and text.isdecimal():
        return CameraText.NUMBER
    if _MAKER_ALONE.fullmatch(text):
        return CameraText.MAKER
    return CameraText.DEFAULT if _DEFAULT.fullmatch(text) or _MODEL.fullmatch(text) else CameraText.NAME
