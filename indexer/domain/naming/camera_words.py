"""Which words of a file name can be the name of a camera.

Words for the kind of file (``IMG``, ``snapshot``) and for why it was taken (``MDAlarm``, ``Schedule``) are no cameras:
all cameras of that make would become one. The name of a maker is none alone; with a channel number it is one, but
every recorder of that make has it.
"""

import re
import unicodedata
from enum import Enum

SEPARATORS = "-_. ,@"

_KIND_OF_FILE = re.compile(
    r"(?:img|image|images|mvimg|pxl|dsc|dscf|dscn|dscim|photo|photos|pic|pict|picture|pictures|snap|snapshot|screenshot"
    r"|frame|copy|vid|video|win|gopr|still|capture|record|recording|thumb|thumbnail|preview|timelapse|time-lapse"
    r"|h?mdalarm|iodalarm|soundalarm|schedule|scheduled|manual|alarm|motion|motion_?detection|timing|event|trigger"
    r"|humandetection|persondetection|vmd|pir|lastsnap)"
    r"[-_ ]?[0-9]*",
    re.IGNORECASE,
)
_MAKER = (
    r"(?:reolink|foscam|hikvision|dahua|amcrest|axis|vivotek|mobotix|tapo|tplink|tp-link|dlink|d-link|trendnet|wyze"
    r"|lorex|swann|unifi|synology|arlo|eufy|blink|nest|ring|ezviz|annke|uniview|hanwha|sricam|wansview"
    r"|ipcam|ipcamera|ip camera|netcam|network camera|webcam)"
)
_MAKER_ALONE = re.compile(_MAKER, re.IGNORECASE)
_DEFAULT = re.compile(rf"(?:{_MAKER}|ch|chn|channel)[-_ ]?(?:ch)?[0-9]{{1,3}}", re.IGNORECASE)
_WORD_AND_NUMBER = re.compile(r"(?P<word>[A-Za-z]+)[-_ ]?[0-9]{1,3}")


class CameraText(Enum):
    """What a text in a file name says about the camera."""

    NAME = "name"
    """A name that a person gave, or the address of a camera."""
    DEFAULT = "default"
    """A maker's word with a channel: every recorder of that make has it."""
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
    before, after = before.rstrip(SEPARATORS), after.lstrip(SEPARATORS)
    if before and not is_kind_of_file(before):
        return before
    if _WORD_AND_NUMBER.fullmatch(after) and not is_kind_of_file(after):
        return after
    return None


def is_kind_of_file(text: str) -> bool:
    """Whether a text is a word for the kind of a file, or for why it was taken."""
    return _KIND_OF_FILE.fullmatch(text) is not None


def classify(text: str) -> CameraText:
    """What a text before or after a time says about the camera."""
    if text.isascii() and text.isdecimal():
        return CameraText.NUMBER
    if _MAKER_ALONE.fullmatch(text):
        return CameraText.MAKER
    return CameraText.DEFAULT if _DEFAULT.fullmatch(text) else CameraText.NAME
