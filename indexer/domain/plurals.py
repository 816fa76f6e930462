"""Numbers with their nouns, for sentences: 1 file, 2 files."""


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """The number and its noun, with a verb if it has one: `counted(1, "image is", "images are")` is "1 image is".

    Without `plural` an s is added.
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"
