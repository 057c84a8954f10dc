import jax
import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_fill_holes
from scipy.spatial import ConvexHull

from maximask_astro.simulation import trails as module
from maximask_astro.simulation.significance import FAINTEST, signal_to_noise
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.simulation.trails import _FINE, _profile, _Shape, add_trails
from maximask_astro.tests.helpers import quick_jit


@pytest.fixture(scope="module")
def trails(contaminate):
    return contaminate(add_trails)


@pytest.fixture(scope="module")
def changed(contaminate, skies):
    """Function that adds trails to skies without their level, with other constants."""

    def apply(**constants):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in constants.items():
                patch.setattr(module, name, value)
            return contaminate(lambda *args: add_trails(*args), np.zeros_like(skies))

    return apply


@pytest.fixture(scope="module")
def single(changed):
    """One trail in each exposure, and straight."""
    return changed(_N_TRAILS=1, _CURVED=0.0)


@pytest.fixture(scope="module")
def faint(changed):
    """One faint steady trail in each exposure."""
    return changed(
        _N_TRAILS=1, _FAINT=1.0, _RATIOS=(0.7 * FAINTEST, 30.0), _STEADY=1.0, _ENDING=0
    )


def extent(mask):
    """Smallest width of a mask in any direction, and its largest."""
    points = np.argwhere(mask)
    corners = points[ConvexHull(points).vertices]
    turns = np.linspace(0, np.pi, 180, endpoint=False)
    along = corners @ np.stack([np.cos(turns), np.sin(turns)])
    widths = np.ptp(along, axis=0) + 1
    return widths.min(), widths.max()


def test_trails_only_add_light(trails):
    assert np.isfinite(trails.after).all()
    assert trails.change.min() > -1e-3


@pytest.fixture(scope="module")
def over_nothing(contaminate, skies):
    """On skies as the simulation has them then: without their level."""
    return contaminate(lambda *args: add_trails(*args), np.zeros_like(skies))


def test_what_is_not_labeled_is_faint(over_nothing):
    peak = over_nothing.change.max(axis=(1, 2))
    outside = np.where(over_nothing.mask, 0, over_nothing.change).max(axis=(1, 2))
    assert np.all(outside < np.maximum(1.0 + 1e-3, 0.02 * peak))


def test_only_what_could_be_found_is_labeled(over_nothing, scenes):
    """Above the noise next to it, or in a stretch of what is half as bright."""
    for change, mask in zip(over_nothing.change, over_nothing.mask, strict=True):
        # The broadest that there are, found over a stretch.
        lowest = 0.5 * FAINTEST / np.sqrt(module._STRETCH * 60)
        visible = change > min(0.998, lowest)
        assert np.all(binary_dilation(visible, np.ones((3, 3)))[mask])


def test_what_cannot_be_found_is_not_drawn(faint, scenes):
    ratios = []
    for index, change in enumerate(faint.change):
        one = jax.tree.map(lambda values, i=index: values[i], scenes)
        ratios.append(float(signal_to_noise(change, 1.0, one)))
    ratios = np.array(ratios)
    drawn = ratios > 0
    assert 0.5 < drawn.mean() < 1
    assert ratios[drawn].min() > 0.99 * FAINTEST
    assert np.median(ratios[drawn]) < 25


def test_the_faintest_are_labeled_as_a_whole(faint):
    """Along their length, and across to half of what is in the middle."""
    drawn = faint.change.max(axis=(1, 2)) > 0
    for change, mask in zip(faint.change[drawn], faint.mask[drawn], strict=True):
        assert np.all(mask[change > 0.7 * change.max()])
        assert change[mask].sum() > 0.5 * change.sum()


def test_between_two_ridges_all_is_labeled(changed):
    double = changed(
        _N_TRAILS=1, _BROAD=1.0, _WIDTHS=(30.0, 40.0), _RIDGES=1.0, _HOLES=(0.8, 0.85),
        _DIFFUSE=0.0, _STEADY=1.0, _ENDING=0, _CURVED=0.0,
    )  # fmt: skip
    seen = double.mask.any(axis=(1, 2))
    assert seen.mean() > 0.9
    # Across the middle of some, it is darker by half.
    dark = [
        np.mean(change[mask] < 0.5 * change.max())
        for change, mask in zip(double.change[seen], double.mask[seen], strict=True)
    ]
    assert np.median(dark) > 0.2
    holes = [np.mean(binary_fill_holes(mask) & ~mask) for mask in double.mask[seen]]
    assert max(holes) < 0.002


def test_some_are_arcs_and_go_through_the_brightest_place(scene):
    dark = np.zeros(SHAPE, np.float32)
    dark[30, 90] = 1e3
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_CURVED", "_THROUGH_BRIGHTEST", "_STEADY"):
            patch.setattr(module, name, 1.0)
        for name in ("_BROAD", "_ENDING", "_FAINT"):
            patch.setattr(module, name, 0.0)
        patch.setattr(module, "_N_TRAILS", 1)
        patch.setattr(module, "_RADII", (2.0, 3.0))
        add = quick_jit(jax.vmap(lambda *args: add_trails(*args), (0, None, None)))
        images = np.asarray(add(keys(4), dark, scene)[0])
    bends = []
    for image in images - dark:
        assert image[29:32, 89:92].max() > 0.5 * image.max()
        # Those from the left to the right.
        if image.max(axis=0).min() > 0.3 * image.max():
            ridge = image.argmax(axis=0)
            bends.append(abs(ridge[SHAPE[1] // 2] - 0.5 * (ridge[0] + ridge[-1])))
    # The sagitta of a chord of 128 pixels, where the radius is 320 to 480.
    assert len(bends) > 3
    assert 3.5 < np.median(bends) < 7.5


def test_short_ones_end_in_the_frame(changed):
    short = changed(
        _N_TRAILS=1, _ENDING=1.0, _SHORT=1.0, _LONGEST_SHORT=0.2, _BROAD=0.0,
        _FAINT=0.0,
    )  # fmt: skip
    sizes = np.array([extent(m) for m in short.mask if m.sum() > 3])
    assert len(sizes) > 20
    # Of 20 to 32 pixels, and their soft ends.
    assert 15 < np.median(sizes[:, 1]) < 50


def test_many_at_once_are_parallel(changed):
    many = changed(
        _MANY=1.0, _BROAD=0.0, _CURVED=0.0, _ENDING=0, _STEADY=1.0, _FAINT=0.0,
        _PEAKS=(20.0, 30.0),
    )  # fmt: skip
    # Spectra of parallel lines are a line through the origin.
    lines = []
    for change in many.change:
        power = np.abs(np.fft.fft2(change * np.hanning(SHAPE[0])[:, None])) ** 2
        ky, kx = (np.fft.fftfreq(size) for size in SHAPE)
        ky, kx = ky[:, None] + 0 * kx, kx + 0 * ky[:, None]
        weight = np.where(np.hypot(ky, kx) < 0.2, power, 0)
        weight[0, 0] = 0
        angle = 2 * np.arctan2(ky, kx)
        lines.append(np.abs((weight * np.exp(1j * angle)).sum()) / weight.sum())
    assert np.median(lines) > 0.8


def test_trails_that_bright_light_outshines_are_not_labeled(scene):
    keys_, dark = keys(4), np.zeros(SHAPE, np.float32)
    add = quick_jit(jax.vmap(add_trails, (0, None, None)))
    _, seen = add(keys_, dark, scene)
    _, hidden = add(keys_, dark + 1e9, scene)
    assert np.asarray(seen).any(axis=(1, 2)).mean() > 0.9
    assert not np.asarray(hidden).any()


def profile(fwhm, radius=0.0, hole=0.0, exponent=0.5, turn=0.0):
    shape = _Shape(*map(np.float32, (radius, hole, exponent, fwhm, 0.0)))
    return np.asarray(_profile(shape, np.float32(4.0), np.float32(turn)))


def full_width(values):
    return 2 * _FINE * np.argmax(values < 0.5)


@pytest.mark.parametrize("fwhm", [2.0, 4.0, 8.0])
def test_profiles_are_as_wide_as_seeing_and_defocus(fwhm):
    narrow, wide = profile(fwhm), profile(fwhm, radius=10.0)
    assert narrow[0] == pytest.approx(1)
    assert narrow.max() == pytest.approx(1)
    assert np.all(np.diff(narrow) <= 1e-5)
    assert full_width(narrow) == pytest.approx(fwhm, rel=0.25)
    # Half of its height a chord has where it is sqrt(3) / 2 of the radius off.
    assert full_width(wide) == pytest.approx(17.3, rel=0.15)
    # The hole is seen where the seeing does not fill it.
    ring = profile(fwhm, radius=10.0, hole=6.0)
    assert ring[0] < ring.max() * (0.9 if fwhm < 3 else 1.0)
    # Light between a Gaussian and a parabola, half as high where it has fallen so.
    diffuse = profile(fwhm, radius=30.0, exponent=2.0)
    assert full_width(diffuse) == pytest.approx(60 * (1 - 0.5**0.5) ** 0.5, rel=0.1)


def test_pixels_blur_what_is_sharp():
    """Along a diagonal a pixel is wider than along its side."""
    straight, diagonal = profile(0.7), profile(0.7, turn=np.pi / 4)
    assert (
        0.7 < 2 * np.interp(0.5, straight[::-1], _FINE * np.arange(288, -1, -1)) < 1.5
    )
    width = straight.sum(), diagonal.sum()
    assert width[1] != pytest.approx(width[0], rel=1e-3)


def test_as_in_the_paper(scene):
    """Six times the noise and more; labels reach 3 pixels farther than 0.5."""
    scene, dark = scene._replace(as_paper=np.True_), np.zeros(SHAPE, np.float32)
    add = quick_jit(jax.vmap(add_trails, (0, None, None)))
    images, masks = map(np.asarray, add(keys(4), dark, scene))
    peaks = []
    for image, mask in zip(images / scene.sigma, masks, strict=True):
        assert not image[~mask].any()
        # Up to rounding at the limit.
        assert np.all(binary_dilation(image > 0.499, np.ones((7, 7)))[mask])
        assert np.all(mask[binary_dilation(image > 0.501, np.ones((7, 7)))])
        peaks.append(image.max())
    # Flares and ends may lie outside of the frame, and trails may cross.
    assert np.quantile(peaks, 0.1) > 4
    assert 15 < np.median(peaks) < 150
    assert max(peaks) < 600


def test_bright_trails_are_labeled(over_nothing):
    peak = over_nothing.change.max(axis=(1, 2))
    assert np.all(over_nothing.mask.any(axis=(1, 2))[peak > 1])
    assert np.sum(peak > 1) > 10


def test_trails_are_straight(single):
    sizes = np.array([extent(m) for m in single.mask if m.sum() > 3])
    narrow = sizes[:, 0] < 2 * (2.5 * 0.47 * 9 + 2) + 2
    assert len(sizes) > 15
    assert narrow.mean() > 0.5
    # What is diffuse has a radius of 41 pixels at most, and a disk of 23.
    assert sizes[:, 0].max() < 2 * (41 + 2.5 * 0.47 * 9 + 2) + 2
    assert np.median(sizes[:, 1] / sizes[:, 0]) > 4


def test_most_trails_cross_the_frame(single):
    touching = [
        np.concatenate([m[0], m[-1], m[:, 0], m[:, -1]]).any() for m in single.mask
    ]
    assert np.mean(touching) > 0.6
