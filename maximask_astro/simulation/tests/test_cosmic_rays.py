import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation import charge_tails
from maximask_astro.simulation.cosmic_rays import add_cosmic_rays
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit


@pytest.fixture(scope="module")
def rays(contaminate):
    return contaminate(add_cosmic_rays)


@pytest.fixture(scope="module")
def faint_rays(contaminate, skies):
    """On skies as the simulation has them then, without their level; no tails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charge_tails, "_OFTEN", 0.0)
        return contaminate(lambda *args: add_cosmic_rays(*args), np.zeros_like(skies))


def test_cosmic_rays_only_add_charge(rays):
    assert np.isfinite(rays.after).all()
    assert rays.change.min() > -1e-3


def test_everything_above_the_noise_is_labeled(faint_rays):
    for change, mask in zip(faint_rays.change, faint_rays.mask, strict=True):
        assert change[~mask].max() <= 1 + 1e-3


def test_only_what_is_visible_is_labeled(faint_rays):
    """Labels are the pixels above the noise, dilated, of rays that stand out."""
    for change, mask in zip(faint_rays.change, faint_rays.mask, strict=True):
        # Up to rounding at the limit.
        most = ndimage.binary_dilation(change > 0.998, np.ones((3, 3)))
        assert np.all(most[mask])
        labels, number = ndimage.label(mask, np.ones((3, 3)))
        # In a square around some pixel of each piece.
        ratio = ndimage.uniform_filter(change**2, 9, mode="constant") * 81
        found = np.sqrt(ndimage.maximum(ratio, labels, np.arange(1, number + 1)))
        # Less where the end of a ray is a piece of its own, or lies on the edge.
        assert np.mean(found > 4) > 0.9


def test_edges_are_hit_as_often_as_the_middle(scene):
    scene = scene._replace(fwhm=np.float32(4.0))
    _, masks = add_to_nothing((64, 96), scene, 800)
    often = masks.mean(0)
    middle = often[8:-8, 8:-8].mean()
    # What is beside the frame does not show there, and neither do its neighbors.
    for edge in (often[0], often[-1], often[:, 0], often[:, -1]):
        assert edge.mean() == pytest.approx(0.8 * middle, rel=0.25)
    for near in (often[2], often[-3], often[:, 2], often[:, -3]):
        assert near.mean() == pytest.approx(middle, rel=0.2)


def test_rays_that_a_star_outshines_are_not_labeled(scene):
    _, seen = add_to_nothing((96, 128), scene)
    _, hidden = add_to_nothing((96, 128), scene, background=1e9)
    assert seen.any(axis=(1, 2)).all()
    # Each exposure has at least one that is not outshone.
    assert hidden.sum() < 0.2 * seen.sum()


def test_as_in_the_paper(scene):
    """Scaled from darks, and labeled from three times their noise on."""
    scene = scene._replace(as_paper=np.True_)
    images, masks = add_to_nothing((128, 128), scene, 40)
    images = images / scene.sigma
    assert not images[~masks].any()
    for image, mask in zip(images, masks, strict=True):
        most = ndimage.binary_dilation(image > 0.374, np.ones((3, 3)))
        least = ndimage.binary_dilation(image > 0.376, np.ones((3, 3)))
        assert np.all(most[mask])
        assert np.all(mask[least])
    # Particles of least ionization free some 100 electrons a micrometer, of
    # which darks have a noise of several: after scaling, tens of the noise.
    bright = images[images > 0.375]
    assert 2 < np.median(bright) < 20
    assert 0.5 < np.quantile(bright, 0.1) < 3


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


@quick_jit
def add_to_each(keys, image, scene):
    return jax.lax.map(lambda key: add_cosmic_rays(key, image, scene), keys)


def add_to(image, scene, number):
    """What many exposures like this one get, and its masks."""
    done = add_to_each(keys(3, number), image, scene)
    return [np.asarray(part) for part in done]


def add_to_nothing(shape, scene, number=12, background=0.0):
    """What many exposures with the same scene get, and its masks."""
    image = np.full(shape, background, np.float32)
    return add_to(image, scene, number)


def test_resampling_spreads_the_charge(scene):
    sharp, _ = add_to_nothing((96, 128), scene, 24)
    smooth, _ = add_to_nothing((96, 128), scene._replace(smoothing=np.float32(0.9)), 24)
    peaks = smooth.max(axis=(1, 2)) / sharp.max(axis=(1, 2))
    assert np.median(peaks) < 0.7


def test_compact_rays_are_sharper_than_stars(scene):
    """So that they can be told from stars of an undersampled camera."""
    scene = scene._replace(fwhm=np.float32(1.2))
    images, _ = add_to_nothing((96, 128), scene, 24)
    widths = []
    for image in images:
        for y, x in np.argwhere(image == ndimage.maximum_filter(image, 9)):
            part = image[y - 2 : y + 3, x - 2 : x + 3].astype(float)
            if part.shape == (5, 5) and part[2, 2] > 10 * scene.sigma:
                offset = np.arange(-2, 3)
                share = part.sum(1) / part.sum()
                mean = (share * offset).sum()
                widths.append((share * (offset - mean) ** 2).sum())
    # Variance of a Gaussian, and of a pixel.
    assert np.quantile(widths, 0.25) < 1.2**2 / 5.545 + 1 / 12


def test_large_frames_get_more(scene):
    """A few thousand in a million pixels at most, and less than a sixth of all."""
    _, small = add_to_nothing((96, 96), scene, 24)
    _, large = add_to_nothing((384, 384), scene, 24)

    def most(masks):
        return max(ndimage.label(mask)[1] for mask in masks)

    assert most(small) <= 8 * 9
    assert most(large) > 3 * most(small)
    assert large.mean(axis=(1, 2)).max() < 1 / 6


def test_rays_on_an_object_are_more_often_than_by_chance(scene):
    image = np.zeros((192, 192), np.float32)
    image[80:112, 80:112] = 10.0
    _, masks = add_to(image, scene, 300)
    often = masks.mean(0)
    assert often[80:112, 80:112].mean() > 1.15 * often.mean()


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
