"""Numbers with their nouns, for sentences: 1 file, 2 files."""

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """The number and its noun, with a verb if it has one: `counted(1, "image is", "images are")` is "1 image is".

    Without `plural` an s is added.
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


def describe_duration(seconds: float) -> str:
    """A time span in the largest unit of which it has at least two, else in seconds."""
    size_s, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), _UNITS[-1])
    number = round(seconds / size_s)
    if number == 0:
        return "less than a second"
    return counted(number, unit)
