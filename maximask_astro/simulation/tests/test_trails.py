import jax
import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from scipy.spatial import ConvexHull

from maximask_astro.simulation import trails as module
from maximask_astro.simulation.tests.conftest import SHAPE, keys
from maximask_astro.simulation.trails import _FINE, _profile, add_trails
from maximask_astro.tests.helpers import quick_compilation


@pytest.fixture(scope="module")
def trails(contaminate):
    return contaminate(add_trails)


@pytest.fixture(scope="module")
def single(contaminate):
    """One trail in each exposure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_N_TRAILS", 1)
        return contaminate(lambda *arguments: add_trails(*arguments))


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


def test_only_what_is_visible_is_labeled(over_nothing):
    """A pixel that is labeled has one next to it that is above the noise."""
    found = zip(over_nothing.change, over_nothing.mask, strict=True)
    for change, mask in found:
        visible = change > min(0.998, 0.4 * change.max())
        assert np.all(binary_dilation(visible, np.ones((3, 3)))[mask])


def test_trails_that_bright_light_outshines_are_not_labeled(scene):
    keys_, dark = keys(4), np.zeros(SHAPE, np.float32)
    with quick_compilation():
        add = jax.jit(jax.vmap(add_trails, (0, None, None)))
        _, seen = add(keys_, dark, scene)
        _, hidden = add(keys_, dark + 1e9, scene)
    assert np.asarray(seen).any(axis=(1, 2)).mean() > 0.9
    assert not np.asarray(hidden).any()


def test_profiles_are_as_wide_as_seeing_and_defocus(scene):
    for fwhm in (2.0, 4.0, 8.0):
        seeing = scene._replace(fwhm=np.float32(fwhm))
        narrow = np.asarray(_profile(0.5, 0.0, seeing, 0.0))
        wide = np.asarray(_profile(10.0, 0.0, seeing, 0.0))
        assert narrow[0] == pytest.approx(1)
        assert narrow.max() == pytest.approx(1)
        assert np.all(np.diff(narrow) <= 1e-6)
        full_width = 2 * _FINE * np.argmax(narrow < 0.5)
        assert full_width == pytest.approx(fwhm, rel=0.25)
        # Half of its height a chord has where it is sqrt(3) / 2 of the radius off.
        full_width = 2 * _FINE * np.argmax(wide < 0.5)
        assert full_width == pytest.approx(17.3, rel=0.15)
        ring = np.asarray(_profile(10.0, 6.0, seeing, 0.0))
        # The hole is seen where the seeing does not fill it.
        assert ring[0] < ring.max() * (0.9 if fwhm < 3 else 1.0)


def test_as_in_the_paper(scene):
    """Six times the noise and more; labels reach 3 pixels farther than 0.5."""
    scene, dark = scene._replace(as_paper=np.True_), np.zeros(SHAPE, np.float32)
    with quick_compilation():
        add = jax.jit(jax.vmap(add_trails, (0, None, None)))
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
    # A disk out of focus has a radius of 20 pixels at most.
    assert sizes[:, 0].max() < 2 * (20 + 2.5 * 0.47 * 9 + 2) + 2
    assert np.median(sizes[:, 1] / sizes[:, 0]) > 4


def test_most_trails_cross_the_frame(single):
    touching = [
        np.concatenate([m[0], m[-1], m[:, 0], m[:, -1]]).any() for m in single.mask
    ]
    assert np.mean(touching) > 0.7
