"""A profile as imaging takes it: the drawing that a person names is read, or refused by name with the reason."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from indexer.errors import ProfileError
from indexer.imaging.mask_images import LIMITS
from indexer.workflows.profile_parameters import load_mask_image

PNG = cv2.imencode(".png", np.zeros((30, 40), np.uint8))[1].tobytes()


def test_a_link_to_a_drawing_is_followed(tmp_path: Path) -> None:
    """A person may keep the drawing elsewhere and name a link to it."""
    (tmp_path / "drawing.png").write_bytes(PNG)
    (tmp_path / "link.png").symlink_to("drawing.png")
    loaded = load_mask_image(str(tmp_path / "link.png"))
    assert (loaded.width, loaded.height, loaded.ignored_px) == (40, 30, 1200)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("folder", "Is a directory"),
        ("pipe", "not a regular file"),
        ("missing", "No such file or directory"),
        ("text", "no valid image header"),
        ("long", f"{LIMITS.max_bytes + 1} bytes are more than the limit of {LIMITS.max_bytes}"),
    ],
)
def test_what_is_no_drawing_is_refused(tmp_path: Path, kind: str, reason: str) -> None:
    """A folder, a pipe, a path where nothing is, and a bad or a long file are refused at once, with the reason."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "missing":
        path.write_bytes(b"not a picture at all")
    if kind == "long":
        os.truncate(path, LIMITS.max_bytes + 99)
    with pytest.raises(ProfileError) as caught:
        load_mask_image(str(path))
    assert str(caught.value) == (
        f"the picture {str(path)!a} cannot be read: {reason}; give a PNG, dark where nothing counts and white elsewhere"
    )
