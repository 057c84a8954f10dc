import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.fringes import add_fringes
from maximask_astro.simulation.tests.conftest import N_EXPOSURES, SHAPE, keys
from maximask_astro.tests.helpers import quick_jit

EMPTY = np.zeros((N_EXPOSURES, *SHAPE), np.float32)


@pytest.fixture(scope="module")
def fringes(contaminate):
    return contaminate(add_fringes, EMPTY)


@pytest.fixture(scope="module")
def large(scenes):
    """Over frames in which the finest bands fit."""
    one = jax.tree.map(lambda values: values[:12], scenes)
    add = quick_jit(lambda a: jax.lax.map(lambda b: add_fringes(b[0], empty, b[1]), a))
    empty = np.zeros((320, 384), np.float32)
    image, mask = add((keys(4, 12), one))
    return np.asarray(image) / one.sigma[:, None, None], np.asarray(mask)


def test_fringes_are_bright_and_dark(fringes):
    assert np.isfinite(fringes.after).all()
    mean = fringes.change.mean(axis=(1, 2))
    spread = fringes.change.std(axis=(1, 2))
    assert np.median(np.abs(mean) / spread) < 0.3
    assert np.all((spread > 0.01) & (spread < 4.4))
    assert spread.min() < 0.5 < 1.5 < spread.max()


def test_the_finest_bands_and_the_broadest(large):
    """From a few pixels to half of the frame."""
    periods = []
    for image in large[0]:
        power = np.abs(np.fft.rfft2(image - image.mean())) ** 2
        ky = np.fft.fftfreq(image.shape[0])[:, None]
        kx = np.fft.rfftfreq(image.shape[1])
        periods.append(power.sum() / (power * np.hypot(ky, kx)).sum())
    assert np.isfinite(large[0]).all()
    assert min(periods) < 25
    assert max(periods) > 75


def significance(change):
    """Integrated signal-to-noise ratio of what is around each pixel."""
    sigma = 64 / (2 * np.pi**0.5)
    return 64 * np.sqrt(ndimage.gaussian_filter(change**2, sigma, mode="reflect"))


def test_labels_are_where_the_bands_are_significant(large, scenes):
    some = 0
    for image, mask, smoothing in zip(*large, scenes.smoothing, strict=False):
        if smoothing > 0:
            continue
        ratio = significance(image)
        # Labels follow the contrast of the bands, not each of them.
        assert mask[ratio > 28].mean() > 0.97 if np.any(ratio > 28) else True
        assert mask[ratio < 2.5].mean() < 0.1 if np.any(ratio < 2.5) else True
        # Not beyond the end of a chip, but for the cells in which it is drawn.
        ended = ndimage.maximum_filter(np.abs(image), 13) < 1e-3
        assert not mask[ended].any()
        some += mask.mean()
    assert some > 3


def test_most_fringes_are_over_most_of_the_frame(fringes):
    fraction = fringes.mask.mean(axis=(1, 2))
    assert np.all(fraction > 0)
    assert 0.3 < np.mean(fraction > 0.99) < 0.95


def test_fringes_are_not_labeled_in_front_of_what_is_bright(scene):
    bright = np.zeros(SHAPE, np.float32)
    bright[:, : SHAPE[1] // 2] = 1e6 * scene.sigma**2
    add = quick_jit(jax.vmap(lambda key: add_fringes(key, bright, scene)[1]))
    masks = np.asarray(add(keys(3, 12)))
    assert masks[:, :, :8].mean() < 0.08
    assert masks[:, :, -16:].mean() > 0.5


def test_fringes_as_in_the_paper(contaminate):
    done = contaminate(add_fringes, EMPTY, as_paper=True)
    strength = np.array(
        [c[m].std() for c, m in zip(done.change, done.mask, strict=True)]
    )
    assert np.median(strength) == pytest.approx(0.6, rel=0.25)
    # Everywhere an envelope, which is 1 at its top only.
    assert np.all(done.mask.any(axis=(1, 2)) & ~done.mask.all(axis=(1, 2)))
    assert np.all(done.change.std(axis=(1, 2)) < 0.62)
