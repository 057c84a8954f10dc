import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.cosmic_rays import add_cosmic_rays
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_compilation


@pytest.fixture(scope="module")
def rays(contaminate):
    return contaminate(add_cosmic_rays)


def test_cosmic_rays_only_add_charge(rays):
    assert np.isfinite(rays.after).all()
    assert rays.change.min() > -1e-3


def test_everything_that_matters_is_labeled(rays):
    assert rays.change[~rays.mask].max() <= 0.5 + 1e-3


def test_labels_are_dilated_by_one_pixel(rays):
    for change, mask in zip(rays.change, rays.mask, strict=True):
        # Up to rounding at the limit.
        least = ndimage.binary_dilation(change > 0.502, np.ones((3, 3)))
        most = ndimage.binary_dilation(change > 0.498, np.ones((3, 3)))
        assert np.all(mask[least])
        assert np.all(most[mask])


def test_nearly_all_exposures_get_some_and_none_too_many(rays):
    fraction = rays.mask.mean(axis=(1, 2))
    assert np.mean(fraction > 0) > 0.9
    assert fraction.max() < 0.5


def test_there_are_points_and_tracks(rays):
    sizes = []
    for mask in rays.mask:
        labels, number = ndimage.label(mask)
        boxes = ndimage.find_objects(labels, number)
        sizes += [max(s.stop - s.start for s in box) for box in boxes]
    assert np.mean(np.array(sizes) <= 7) > 0.15
    assert np.mean(np.array(sizes) > 20) > 0.05


def test_tracks_are_sharp(rays):
    """Sharper than any star: what a brightest pixel has, its neighbors lack."""
    ratios = []
    for change in rays.change:
        y, x = np.unravel_index(np.argmax(change), change.shape)
        around = change[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        ratios.append(np.median(around) / change[y, x])
    assert np.median(ratios) < 0.1


def add_to_nothing(shape, scene, number=12):
    """What many exposures with the same scene get, and its masks."""
    with quick_compilation():
        add = jax.jit(
            jax.vmap(lambda key: add_cosmic_rays(key, np.zeros(shape), scene))
        )
        return [np.asarray(part) for part in add(keys(3, number))]


def test_resampling_spreads_the_charge_and_keeps_it(scene):
    sharp, _ = add_to_nothing((96, 128), scene)
    smooth, _ = add_to_nothing((96, 128), scene._replace(smoothing=np.float32(0.9)))
    assert np.allclose(smooth.sum(axis=(1, 2)), sharp.sum(axis=(1, 2)), rtol=0.05)
    peaks = smooth.max(axis=(1, 2)) / sharp.max(axis=(1, 2))
    assert peaks.max() < 1
    assert np.median(peaks) < 0.7


def test_large_frames_get_more(scene):
    _, small = add_to_nothing((96, 96), scene)
    _, large = add_to_nothing((384, 384), scene)

    def most(masks):
        return max(ndimage.label(mask)[1] for mask in masks)

    assert most(small) <= 8
    assert most(large) > 16


def test_tracks_are_thin_and_whole(scene):
    """Charge is set down so densely that a track does not fall apart."""
    images, _ = add_to_nothing((384, 384), scene)
    lengths, widths = [], []
    for image in images:
        labels, _ = ndimage.label(image > 0.5 * scene.sigma, np.ones((3, 3)))
        for index, box in enumerate(ndimage.find_objects(labels), 1):
            lengths.append(np.hypot(*(part.stop - part.start for part in box)))
            widths.append((labels[box] == index).sum() / lengths[-1])
    lengths, widths = np.array(lengths), np.array(widths)
    assert np.mean(lengths > 25) > 0.05
    assert np.median(widths[lengths > 25]) < 5
