import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData
from matplotlib.colors import to_rgb

from maximask_astro.flags import CLASSES
from maximask_astro.masking import ClassSettings, ContaminantMap
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


def painted(ax):
    """Name of the class that each pixel has the color of, None where it has none."""
    colors = {to_rgb(flag.color): flag.abbreviation for flag in CLASSES}
    overlay = ax.images[-1].get_array()
    return np.array([[colors.get(tuple(p[:3])) for p in row] for row in overlay])


@pytest.mark.parametrize("reverse", [False, True])
def test_a_pixel_has_the_color_of_the_likeliest(reverse):
    """By its odds in units of those of the threshold: 3, 4 and 20."""
    settings = tuple(
        ClassSettings(name, None, None, threshold)
        for name, threshold in (("CR", 0.5), ("TRL", 0.2), ("SP", 0.01), ("BBG", 0.01))
    )
    probabilities = np.float32([0.75, 0.5, 1 / 6, 0.9])[:, None, None]
    planes = np.broadcast_to(probabilities, (4, 3, 3)).copy()
    code = [item.code for item in settings]
    called = [
        [code[0], code[0] | code[1], code[0] | code[1] | code[2] | code[3]],
        [code[0] | code[2], code[1], code[1] | code[2]],
        [0, code[3], code[2]],
    ]
    expected = [["CR", "TRL", "SP"], ["SP", "TRL", "SP"], [None, None, "SP"]]
    # Where the network is sure, or masks were grown.
    planes[0, 1, 0], planes[:, 2, 2] = 1, 0
    expected[1][0] = "CR"
    cmap = ContaminantMap(settings, np.uint32(called), np.zeros((3, 3), bool), planes)
    classes = ["CR", "TRL", "SP"]
    ax = cmap.imshow(classes=classes[::-1] if reverse else classes)
    assert painted(ax).tolist() == expected
    counts = {text.split()[0]: int(text.split(": ")[1]) for text in labels(ax)}
    assert counts == {"CR": 4, "TRL": 4, "SP": 4}


def test_without_probabilities_the_rarest_is_on_top():
    cmap = make_map(planes=False)
    found = painted(cmap.imshow())
    shown = {name: cmap.class_mask(name).sum() for name in NAMES[:-2]}
    rarest = min(shown, key=shown.get)
    assert np.array_equal(found == rarest, cmap.class_mask(rarest))


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
