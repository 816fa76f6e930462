"""The map of where things come and go, as an overlay."""

import cv2
import numpy as np
import pytest

from indexer.imaging.activity_map import activity_overlay, clear_share, count_activity

RNG = np.random.default_rng(1)
EMPTY = RNG.integers(60, 120, (180, 320)).astype(np.uint8)


def test_overlay_is_clear_where_nothing_came() -> None:
    """A thing in a quarter of the frame colours that quarter, and the rest stays transparent."""
    thing = EMPTY.copy()
    thing[:90, :160] = RNG.integers(150, 250, (90, 160))
    activity = count_activity([(EMPTY, thing), (thing, EMPTY)])
    overlay = activity_overlay(activity, height=90, width=160)
    alpha = cv2.imdecode(np.frombuffer(overlay, np.uint8), cv2.IMREAD_UNCHANGED)[..., 3]
    assert (alpha[:40, :70] > 100).all()
    assert (alpha[50:, 90:] == 0).all()
    assert clear_share(overlay) == pytest.approx(0.75, abs=0.03)
    assert activity.never_share == pytest.approx(clear_share(overlay), abs=0.01)


def test_other_bytes_are_no_overlay() -> None:
    """Bytes that are no picture are refused."""
    with pytest.raises(ValueError, match="not an overlay"):
        clear_share(b"no picture")
