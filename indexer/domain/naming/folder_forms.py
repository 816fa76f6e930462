"""How folders of dates, hours, cards and kinds of files are called: as regular expressions, and as words."""

import re

from indexer.domain.naming.moments import MONTH_WORD

DATE = re.compile(
    rf"""
    (?P<year>[0-9]{{4}}) (?P<s>[-_. ]?) (?P<month>[0-9]{{2}}) (?P=s) (?P<day>[0-9]{{2}})
        (?: [-_. ]?(?P<ampm>[ap]\.?m\.?)
          | (?: (?P<t>T) | [-_. ] )? (?P<hour>[0-9]{{2}}) (?P<minutes> [-_.]? [0-9]{{2}} (?: [-_.]? [0-9]{{2}} )? )?
            h? )?
    | (?P<year2>[0-9]{{4}}) [-_.] (?P<month2>[0-9]{{1,2}}) [-_.] (?P<day2>[0-9]{{1,2}})
    | (?P<year3>[0-9]{{4}}) Y (?P<month3>[0-9]{{2}}) M (?P<day3>[0-9]{{2}}) D (?: (?P<hour3>[0-9]{{2}}) H )?
    | (?P<day4>[0-9]{{1,2}}) [-_. ]? (?P<month4>{MONTH_WORD}) [-_. ]? (?P<year4>[0-9]{{4}})
    | (?P<year5>[0-9]{{4}}) [-_. ]? (?P<month5>{MONTH_WORD}) [-_. ]? (?P<day5>[0-9]{{1,2}})
    | (?P<month6>{MONTH_WORD}) [-_. ]? (?P<day6>[0-9]{{1,2}}) [-_., ]{{1,2}} (?P<year6>[0-9]{{4}})
    | (?P<year7>[0-9]{{4}})年 (?P<month7>[0-9]{{1,2}})月 (?P<day7>[0-9]{{1,2}})日
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
BESIDE_DAY = re.compile(rf"\A{_WEEKDAY}[-_., ]{{1,2}}|[-_., ]{{1,2}}\(?{_WEEKDAY}\)?\Z", re.IGNORECASE)
"""A weekday beside the day of a month."""
AROUND_DATE = re.compile(
    rf"\A(?:{_WEEKDAY}[-_., ]{{1,2}}|(?:(?:date|day)[-_= ]?|(?:dt|ds)=)(?=[0-9]{{4}})|d_?(?=[0-9]{{8}}\Z))"
    rf"|(?:[-_., ]{{1,2}}\(?{_WEEKDAY}\)?| ?\([0-9]{{1,2}}\)| - copy|(?<=[0-9]{{2}})Z"
    r"|(?<=[0-9]{8}_[0-9]{6})_[0-9A-F]{4}_[0-9A-F]{12})+\Z",  # the id of a recording, and the camera, as by Axis
    re.IGNORECASE,
)
"""A weekday or a word before a date; behind it a weekday, UTC, or what a second copy of a folder has."""
SPAN = re.compile(r"([0-9]{4}[-_.]?[0-9]{2}[-_.]?[0-9]{2})(?:[-_ ]|[-_ ]to[-_ ])([0-9]{4}[-_.]?[0-9]{2}[-_.]?[0-9]{2})")
_WEEK = "(?:W|KW|week[-_ ]?)(?:0?[1-9]|[1-4][0-9]|5[0-3])"
WEEK = re.compile(rf"(?:19[7-9]|20[0-9])[0-9][-_ ]?{_WEEK}|{_WEEK}[-_ ](?:19[7-9]|20[0-9])[0-9]", re.IGNORECASE)
WEEK_OF_YEAR = re.compile("W(?:0[1-9]|[1-4][0-9]|5[0-3])|(?:KW|week[-_ ]?)(?:0?[1-9]|[1-4][0-9]|5[0-3])", re.IGNORECASE)
"""A week, below a year; `W1` may be a place."""
DATE_IN_NAME = r"(?P<date{0}>(?:19[7-9]|20[0-9])[0-9]([-_.]?)(?:0[1-9]|1[0-2])\{1}(?:0[1-9]|[12][0-9]|3[01]))"
TIME_IN_NAME = r"(?:[-_T. ]{1,2}[0-9]{2}[-_.h]?[0-9]{2}(?:[-_.m]?[0-9]{2}s?)?)?"
DATED_NAME = re.compile(
    rf"(?P<text>.*[^\W\d_].*?)[-_. ]{{1,3}}{DATE_IN_NAME.format('', 3)}{TIME_IN_NAME}"
    rf"|{DATE_IN_NAME.format('2', 5)}{TIME_IN_NAME}[-_. ]{{1,3}}(?P<text2>.*[^\W\d_].*)",
    re.DOTALL,
)
"""A name with a whole date before or behind it, as of a visit."""
SAYS_NO_PLACE = re.compile(r"(?:export|clip|backup|download|upload|import|copy|archive)s?", re.IGNORECASE)
"""Words that beside a date say only how files came."""
TWO_DIGIT_YEAR = re.compile(r"(?P<a>[0-9]{2})(?P<s>[-_.]?)(?P<b>[0-9]{2})(?P=s)(?P<c>[0-9]{2})")
YEAR_DAY = re.compile(r"(?P<year>20[1-3][0-9])-?(?P<day>[0-3][0-9]{2})")
"""A year and the number of a day in it."""
DATE_BELOW_NAME = re.compile(
    r"(?P<above>.*)/(?P<year>(?:19[7-9]|20[0-3])[0-9])/(?P<name>[^/]*[^\W\d_][^/]*)"
    r"/(?P<month>0[1-9]|1[0-2])/(?P<day>0[1-9]|[12][0-9]|3[01])",
    re.DOTALL,
)
"""A month and a day below a name that stands below their year; where names do not say so, they may be plots."""
FORMATS = frozenset({"jpg", "dav"})
"""What Dahua calls the folders of images and of videos below the number of a channel."""
RECORDING = re.compile(r"[0-9]{8}_[0-9]{6}_[0-9A-F]{4}_(?P<camera>[0-9A-F]{12})")
"""The folder of a recording by Axis: its time, its id, and the address of the camera."""
MONTH_DAY = re.compile(r"(?P<month>0[1-9]|1[0-2])[-_.](?P<day>0[1-9]|[12][0-9]|3[01])")
PART_OF_DATE = re.compile(r"(?:year|month|day|hour|minute|[ymdh])=(?=[0-9])", re.IGNORECASE)
HALF_OF_DAY = re.compile(r"[ap]\.?m\.?", re.IGNORECASE)
EITHER_ORDER = re.compile(r"(?P<a>[0-9]{1,2})(?P<s>[-_.])(?P<b>[0-9]{1,2})(?P=s)(?P<year>[0-9]{4})")
EIGHT_DIGITS = re.compile(r"(?P<a>[0-9]{2})(?P<b>[0-9]{2})(?P<year>(?:19[7-9]|20[0-9])[0-9])")
YEAR = re.compile(r"(?:19[7-9][0-9]|20[0-9]{2}|2100)")
MONTH_OF_YEAR = re.compile(rf"{MONTH_WORD}[-_. ]?[0-9]{{4}}|[0-9]{{4}}[-_. ]?{MONTH_WORD}", re.IGNORECASE)
YEAR_MONTH = re.compile(r"(?P<year>19[7-9][0-9]|20[0-9]{2}|2100)[-_.]?(?P<month>0[1-9]|1[0-2])")
MONTH = re.compile(rf"(?P<number>0?[1-9]|1[0-2])(?:[-_. ]{{0,3}}{MONTH_WORD})?|(?P<word>{MONTH_WORD})", re.IGNORECASE)
DAY = re.compile(r"0?[1-9]|[12][0-9]|3[01]")
TWO_DIGITS = re.compile(r"(?P<number>[0-9]{2})h?", re.IGNORECASE)
HOUR = re.compile(
    r"(?P<number>[0-9]{2})00|(?P<number2>[0-9]{2})[-_.:]00h|(?P<number3>[0-9]{2})[-_.:]00"
    r"|hour[-_ ]?(?P<number4>[0-9]{1,2})|(?P<number12>0?[1-9]|1[0-2])[-_ ]?(?P<half>[ap]\.?m\.?)",
    re.IGNORECASE,
)
"""An hour below a date; only of four digits it may be a number."""
CLOCK = re.compile(r"([01][0-9]|2[0-3])([-_.:])([0-5][0-9])\2([0-5][0-9])")
"""Hour, minute and second below a date."""
SIX_NUMBERS = re.compile(r"(.*)/([0-9]{2})/([0-9]{2})/([0-9]{2})/([0-9]{2})/([0-9]{2})/([0-9]{2})", re.DOTALL)
DCF = re.compile(r"[1-9][0-9]{2}[A-Z0-9_]{5}", re.IGNORECASE)
DCF_MAKERS = re.compile(
    r"1[0-9]{2}(?:RECNX|_BTCF|EK[0-9]{3}|DSCIM|GOPRO|CANON|MSDCF|NIKON|NCD[0-9]{2}|ND[0-9]{3}|OLYMP|_PANA|_FUJI|KODAK"
    r"|APPLE|ANDRO|MEDIA|BUSHN|BMCFR|IMAGE|PHOTO|STLTH|MFDC_|SYFW0|UWAY_|CUDDY|MOULT|SPYPT|CASIO|RICOH|SSCAM|DCIM_"
    r"|_IRIS|WINGH|HCAM_|BOLY_|SG[0-9]{3}|ATC[0-9]{2}|_CFG_)"
)
"""Ends of DCF folders that cameras write; others count only below ``DCIM``."""
WORDS = frozenset(
    {
        "snap",
        "snaps",
        "snapshot",
        "snapshots",
        "jpg",
        "jpeg",
        "png",
        "image",
        "images",
        "img",
        "imgs",
        "photo",
        "photos",
    }
    | {"pic", "pics", "picture", "pictures", "record", "records", "recording", "recordings", "capture", "captures"}
    | {"alarm", "alarms", "motion", "schedule", "scheduled", "timelapse", "time-lapse", "period", "upload", "uploads"}
    | {"ftp", "clips", "event", "events", "thumb", "thumbs", "thumbnail", "thumbnails", "still", "stills", "preview"}
    | {"previews", "dav", "mp4", "avi", "video", "videos"}
)
WORD_AND_NUMBER = re.compile(r"(?:pic|picture|img|image|jpg|snap|record|photo)[-_ ]?[0-9]{1,4}", re.IGNORECASE)
