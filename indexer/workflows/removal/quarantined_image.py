"""Checks whether a file in a quarantine is the image that its manifest names: by its bytes, its name and its header.

A quarantine may come from anybody. The checks promise that only images pass, and that they change nothing.
"""

from indexer.domain.descriptions import Limits
from indexer.files.verification import ContentDigest, FileIdentity, MismatchError, verify_and_read
from indexer.files.walking import is_image_name


def require_image_names(*names: str) -> None:
    """Raises `MismatchError` unless a directory walk would take files with all these names for images."""
    for name in names:
        if not is_image_name(name):
            raise MismatchError(f"{name!r} is not the name of an image, and only images are brought back")


def check_image(path: str, *, expected: ContentDigest, limits: Limits) -> FileIdentity:
    """The identity of the file at the path, after its bytes were verified and its header read as that of an image.

    Raises `MismatchError` as `indexer.files.verification.verify`, and also for a file that is no image or is larger
    than `limits.max_bytes`.
    """
    from indexer.imaging.headers import ImageRefusedError, read_header  # here, as `status` reads no file

    if expected.size_bytes > limits.max_bytes:
        raise MismatchError(
            f"it has {expected.size_bytes} bytes, more than INDEXER_MAX_BYTES allows ({limits.max_bytes})"
        )
    identity, data = verify_and_read(path, expected=expected)
    try:
        read_header(data, limits=limits)
    except ImageRefusedError as problem:
        if problem.header is None:  # an image that is too large or too small by now is still an image
            raise MismatchError(f"it is not an image, whatever its name is: {problem.reason}") from problem
    return identity
