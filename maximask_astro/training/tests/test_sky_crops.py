"""Crops of skies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.training import sky_crops
from maximask_astro.training.skies import Sky
from maximask_astro.training.sky_crops import draw_sky_crops

BITS = {name: 1 << i for i, name in enumerate(ABBREVIATIONS)}
CONTAMINANTS = sum(BITS[n] for n in ABBREVIATIONS if n not in ("BBG", "BG"))


def make_sky(shape=(120, 150), seed=0, **changes):
    rng = np.random.default_rng(seed)
    image = rng.standard_normal(shape).astype("f4")
    values = {
        "name": "sky", "image": image, "valid": np.ones(shape, bool),
        "present": np.zeros(shape, "u2"), "known": np.full(shape, CONTAMINANTS, "u2"),
        "light": np.zeros(shape, "f2"), "level": 500.0, "noise": 4.0, "quantum": 0.25,
        "fwhm": 3.0, "noise_binned": 0.5, "gain": None,
    }  # fmt: skip
    return Sky(**{**values, **changes})


def spoiled_sky(shape, seed):
    """A sky with anything in it, in random pixels."""
    rng = np.random.default_rng(seed)
    known = rng.integers(0, CONTAMINANTS + 1, shape).astype("u2")
    present = known & rng.integers(0, CONTAMINANTS + 1, shape).astype("u2")
    valid = rng.uniform(size=shape) < 0.8
    light = rng.uniform(0, 30, shape).astype("f2")
    known[~valid] = present[~valid] = 0
    return make_sky(shape, seed, valid=valid, known=known, present=present, light=light)


def always(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setattr(sky_crops, name, value)


@given(
    st.lists(
        st.tuples(st.integers(64, 140), st.integers(64, 140)), min_size=1, max_size=3
    ),
    st.sampled_from([32, 64, 96]),
    st.integers(0, 2**32),
)
@settings(max_examples=25)
def test_only_what_is_known_is_present(shapes, size, seed):
    skies = [spoiled_sky(shape, i) for i, shape in enumerate(shapes)]
    crops = draw_sky_crops(skies, 3, size, seed)
    assert crops.images.shape == (3, size, size)
    assert np.isfinite(crops.images).all()
    assert not (crops.present & ~crops.known).any()
    assert not crops.known[~crops.inside].any()
    clear = (crops.present & BITS["BG"]) != 0
    assert not (crops.present[clear] & ~np.uint16(BITS["BG"])).any()
    again = draw_sky_crops(skies, 3, size, seed)
    for one, other in zip(crops, again, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def test_pixels_and_labels_turn_together(monkeypatch):
    always(monkeypatch, _OFTEN_BINNED=0.0, _OFTEN_NOISIER=0.0)
    sky = make_sky()
    sky.present[sky.image > 1] |= BITS["CR"]
    crops = draw_sky_crops([sky], 16, 64, 3)
    assert np.array_equal((crops.present & BITS["CR"]) != 0, crops.images > 1)
    assert len({image.tobytes() for image in crops.images}) == 16
    assert crops.inside.all()
    assert (crops.fwhm == 3).all()
    assert (crops.quantum == 0.25).all()
    assert np.isnan(crops.gain).all()


def test_a_small_sky_is_mirrored_or_alone(monkeypatch):
    always(monkeypatch, _OFTEN_NOISIER=0.0)
    numbers = np.arange(70 * 80, dtype="f4").reshape(70, 80)
    sky = make_sky((70, 80), image=numbers)
    crops = draw_sky_crops([sky], 4, 128, 1, often_alone=0.0)
    assert crops.inside.all()
    # Neighbors stay neighbors: no seam.
    rows, columns = np.unravel_index(crops.images.astype(int), (70, 80))
    for axis in (1, 2):
        steps = np.abs(np.diff(rows, axis=axis)) + np.abs(np.diff(columns, axis=axis))
        assert steps.max() == 1

    crops = draw_sky_crops([sky], 4, 128, 1, often_alone=1.0)
    assert (crops.inside.sum(axis=(1, 2)) == 70 * 80).all()
    assert not crops.images[~crops.inside].any()


def test_binned_skies_have_the_same_noise_and_narrower_stars(monkeypatch):
    always(monkeypatch, _OFTEN_BINNED=1.0, _OFTEN_NOISIER=0.0)
    sky = make_sky((300, 300))
    sky.present[100, 100], sky.known[200:, 200] = BITS["HP"], 0
    crops = draw_sky_crops([sky], 8, 128, 2)
    assert crops.images.std() == pytest.approx(1, rel=0.03)
    assert (crops.fwhm == 1.5).all()
    assert (crops.noise == 2).all()
    assert (crops.present & BITS["HP"] != 0).sum(axis=(1, 2)).max() == 1
    unknown = (crops.known & BITS["CR"]) == 0
    assert 0 < unknown.sum(axis=(1, 2)).max() <= 51


def test_noise_hides_what_is_faint(monkeypatch):
    always(monkeypatch, _OFTEN_BINNED=0.0, _OFTEN_NOISIER=1.0, _NOISIER=(3.0, 3.0))
    sky = make_sky((64, 64))
    sky.image[:, 20], sky.image[:, 40] = 6.0, 60.0
    sky.present[:, 20] = sky.present[:, 40] = BITS["HP"]
    sky.light[:, 50] = 20.0
    crops = draw_sky_crops([sky], 4, 64, 2)
    assert (crops.noise == 12).all()
    assert np.median(np.abs(crops.images)) == pytest.approx(0.6745, rel=0.1)
    hot = (crops.present & BITS["HP"]) != 0
    assert (hot.sum(axis=(1, 2)) == 64).all()
    assert crops.images[hot].mean() == pytest.approx(20, abs=0.3)
    assert (((crops.known & BITS["HP"]) == 0).sum(axis=(1, 2)) == 64).all()
    # An object of 20 sigma has 7 now.
    assert not (crops.present & BITS["BBG"]).any()


def test_objects_and_clear_sky(monkeypatch):
    always(monkeypatch, _OFTEN_BINNED=0.0, _OFTEN_NOISIER=0.0)
    sky = make_sky((64, 64))
    sky.light[:16], sky.light[16:32], sky.light[32:40] = 50.0, 10.0, np.nan
    sky.light[40:48], sky.known[40:48] = 50.0, CONTAMINANTS & ~BITS["SAT"]
    sky.light[48:50], sky.present[48:50] = 50.0, BITS["SP"]
    crops = draw_sky_crops([sky], 2, 64, 0)

    def rows(bits):
        return ((bits != 0).sum(axis=(1, 2)) / 64).tolist()

    assert rows(crops.present & BITS["BBG"]) == [16, 16]
    # Neither between the two limits, nor where a contaminant may be bright.
    assert rows(crops.known & BITS["BBG"]) == [16 + 14, 16 + 14]
    assert rows(crops.present & BITS["BG"]) == [14, 14]
    assert rows(crops.known & BITS["BG"]) == [16 + 14 + 2, 16 + 14 + 2]


def test_large_skies_are_drawn_more_often():
    skies = [make_sky((64, 64)), make_sky((256, 256))]
    chosen = draw_sky_crops(skies, 400, 8, 5).chosen
    assert np.bincount(chosen)[1] == pytest.approx(400 * 4 / 5, rel=0.1)
