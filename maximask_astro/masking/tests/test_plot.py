import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro.masking.tests.maps import NAMES, make_map

SHAPE = (12, 15)
DATA = np.random.RandomState(0).normal(1000, 10, SHAPE)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_each_class_has_a_color_and_a_count():
    cmap = make_map()
    ax = cmap.imshow()
    counts = {name: f"{cmap.class_mask(name).sum():,}" for name in NAMES}
    shown = [name for name in NAMES if name not in ("BG", "BBG")]
    for name in shown:
        assert any(
            label.startswith(f"{name} ") and label.endswith(f": {counts[name]}")
            for label in labels(ax)
        )
    assert labels(ax)[-1] == f"no verdict: {cmap.invalid.sum()}"
    assert len(labels(ax)) == len(shown) + 1
    overlay = ax.images[-1].get_array()
    assert overlay.shape == (*SHAPE, 4)
    marked = cmap.invalid | np.any([cmap.class_mask(name) for name in shown], axis=0)
    assert np.array_equal(overlay[..., 3] > 0, marked)


def test_classes_can_be_chosen():
    ax = make_map().imshow(classes=["bg", "CR"])
    assert {label.split()[0] for label in labels(ax)} == {"BG", "CR", "no"}
    with pytest.raises(ValueError, match="no class OV"):
        make_map().imshow(classes=["OV"])


def test_axes_of_the_caller_are_used():
    _, ax = plt.subplots()
    assert make_map().imshow(ax=ax) is ax
    assert len(ax.images) == 1


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        DATA.astype(">f4"),
        DATA * u.adu,
        CCDData(DATA, unit="adu"),
        fits.ImageHDU(DATA),
        np.ma.array(DATA, mask=DATA > 1010),
        np.where(DATA > 1010, np.nan, DATA),
        np.full(SHAPE, np.nan),
        np.zeros(SHAPE),
    ],
    ids=lambda data: type(data).__name__,
)
def test_exposure_is_shown_below(data):
    ax = make_map().imshow(data)
    assert len(ax.images) == 2
    ax.figure.canvas.draw()


def test_planes_of_a_cube_are_shown_one_by_one():
    cmap, cube = make_map((3, *SHAPE)), np.stack([DATA, 2 * DATA, 3 * DATA])
    ax = cmap.imshow(cube, plane=1, classes=["CR"])
    assert np.array_equal(ax.images[0].get_array(), 2 * DATA)
    shown = cmap.class_mask("CR")[1] | cmap.invalid[1]
    assert np.array_equal(ax.images[1].get_array()[..., 3] > 0, shown)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"install maximask_astro\[plot\]"):
        make_map().imshow()
