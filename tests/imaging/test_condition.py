"""The condition of a frame: the measures change with what they measure, and not with the light."""

import cv2
import numpy as np
import pytest

from indexer.domain.advice.measurements import LightClass, assign_light_classes
from indexer.domain.descriptions import Limits
from indexer.imaging.condition import frame_for_condition, grey_for_comparison, grid_cells, measure_condition
from indexer.imaging.headers import ImageRefusedError, read_header
from indexer.imaging.synthetic.scenes import Light, Scene, draw, encode
from tests.support.camera_days import blurred, covered, dimmed, with_drop, with_glare

LOT = draw(Scene("lot", seed=1))


def detail_shares(picture: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """The detail per structure of each cell with enough structure, as a share of that of the sharp frame."""
    usual, measured = measure_condition(LOT), measure_condition(picture)
    ratios = [
        np.array(one.detail) / (np.array(one.structure) + 2) for one in (measured, usual)
    ]  # as indexer.domain.advice.lens
    return (ratios[0] / ratios[1])[np.array(usual.structure) >= 9]


def test_blur_takes_detail_and_light_does_not() -> None:
    """A lens out of focus has lost the detail of all cells; half of the light takes no cell below the limit."""
    assert np.median(detail_shares(blurred(LOT))) < 0.3
    assert np.median(detail_shares(draw(Scene("lot", seed=1), light=Light(0.6), seed=5))) > 0.6


def test_drop_takes_detail_of_its_part() -> None:
    """A drop on the lens takes the detail of some cells, and leaves that of the others."""
    shares = detail_shares(with_drop(LOT))
    assert shares.min() < 0.35
    assert np.median(shares) > 0.9


def test_wiped_view_has_no_detail() -> None:
    """What is smooth has no detail: the levels between two pixels of a slow slope are not rounded."""
    smooth = np.asarray(cv2.GaussianBlur(LOT, (0, 0), 12), np.uint8)
    assert max(measure_condition(smooth).detail) < 0.2


def test_light_classes() -> None:
    """Day is colour, infrared is mono, no lamp is dark."""
    night = draw(Scene("lot", seed=1), light=Light(tint="infrared"))
    classes = [measure_condition(picture).light_class for picture in (LOT, night, dimmed(LOT))]
    assert classes == [LightClass.COLOUR, LightClass.MONO, LightClass.DARK]


def test_pale_camera_is_one_class() -> None:
    """A camera whose frames are nearly grey is of one class, also if a red car gives some of them more colour."""
    grey = measure_condition(draw(Scene("lot", seed=1), light=Light(tint="infrared")))
    pale = [measure_condition(LOT).__class__(**(vars(grey) | {"chroma": chroma})) for chroma in (4.0, 5.0, 8.0, 4.0)]
    assert set(assign_light_classes(pale)) == {LightClass.MONO}


def test_one_colour_and_glare() -> None:
    """A bag is of one colour; the sun makes its corner white."""
    assert measure_condition(covered(LOT)).main_share > 0.9
    bright = measure_condition(with_glare(LOT)).bright
    assert bright[5] > 0.3
    assert bright[18] < 0.1


@pytest.mark.parametrize(("height", "width"), [(64, 64), (480, 640), (90, 700), (1000, 200)])
def test_any_size(height: int, width: int) -> None:
    """Frames of any size are measured; the grid has 24 cells, and the grey frame is 320 wide."""
    data = encode(draw(Scene("gate", width=width, height=height)))
    frame = frame_for_condition(data, read_header(data, limits=Limits()))
    condition = measure_condition(frame)
    assert (len(condition.detail), len(condition.bright), len(grid_cells(frame[:, :, 0]))) == (24, 24, 24)
    assert grey_for_comparison(frame).shape[1] == 320
    assert frame.shape[1] == min(width, 640)


def test_broken_file_is_refused() -> None:
    """A file that ends early is refused, as in ingest."""
    data = encode(LOT)
    with pytest.raises(ImageRefusedError):
        frame_for_condition(data[:5000], read_header(data, limits=Limits()))
