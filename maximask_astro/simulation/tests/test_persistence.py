import jax
import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation import persistence as module
from maximask_astro.simulation.persistence import add_persistence
from maximask_astro.simulation.tests.conftest import keys
from maximask_astro.tests.helpers import quick_jit

RARE = ("_GHOSTS", "_SPECTRA_OFTEN", "_MOVED_OFTEN", "_BLEEDS", "_CROWDED_OFTEN")


@pytest.fixture(scope="module")
def persistence(contaminate, skies):
    """On skies as the simulation has them then: without their level."""
    return contaminate(add_persistence, np.zeros_like(skies))


@pytest.fixture(scope="module")
def disks(contaminate, skies):
    """Nothing but disks."""
    with pytest.MonkeyPatch.context() as patch:
        for name in RARE:
            patch.setattr(module, name, 0.0)
        return contaminate(lambda *args: add_persistence(*args), np.zeros_like(skies))


def add_with(scene, chosen, image, number=16, **changes):
    """Persistence of one kind only, in units of the noise, and its masks."""
    with pytest.MonkeyPatch.context() as patch:
        for name in RARE:
            patch.setattr(module, name, 1.0 if name == chosen else 0.0)
        for name, value in changes.items():
            patch.setattr(module, name, value)

        @quick_jit
        def add(keys):
            return jax.lax.map(lambda key: add_persistence(key, image, scene), keys)

        after, masks = add(keys(8, number))
        return np.asarray(after - image) / scene.sigma, np.asarray(masks)


def test_persistence_only_adds_light(persistence):
    assert np.isfinite(persistence.after).all()
    assert persistence.change.min() > -1e-3


def test_every_disk_is_visible(disks):
    """By all of its light, of which only a part may lie within the frame."""
    ratios = []
    for change, mask in zip(disks.change, disks.mask, strict=True):
        labels, number = ndimage.label(mask)
        for index, box in enumerate(ndimage.find_objects(labels, number), start=1):
            inside = all(
                s.start > 0 and s.stop < n for s, n in zip(box, mask.shape, strict=True)
            )
            if inside:
                ratios.append(np.sqrt((change[labels == index] ** 2).sum()))
    ratios = np.array(ratios)
    assert len(ratios) > 20
    assert ratios.min() > 5.5
    # Many are hardly visible.
    assert np.mean(ratios < 30) > 0.15
    assert np.mean(ratios > 60) > 0.2


def test_persistence_as_in_the_paper(contaminate, skies):
    done = contaminate(add_persistence, np.zeros_like(skies), as_paper=True)
    peak = done.change.max(axis=(1, 2))
    assert peak == pytest.approx(5, rel=0.01)
    # Flat, and gone outside of the labels.
    assert np.mean(np.abs(done.change[done.mask] - 5) < 0.05) > 0.95
    assert np.mean(done.change[~done.mask] < 0.05) > 0.999


def test_every_exposure_has_some(persistence):
    assert persistence.mask.any(axis=(1, 2)).all()


def test_light_is_where_the_labels_are(disks):
    for change, mask in zip(disks.change, disks.mask, strict=True):
        assert change[mask].mean() > 3 * change[~mask].mean()
        # Down to the noise, or to half of the brightest of a disk.
        assert change[~mask].max() <= 1.001
        far = ndimage.distance_transform_edt(~mask) > 20
        assert change[far].max(initial=0.0) < 0.06 * change.max()


def test_sources_are_disks(disks):
    """What fills an ellipse is full: no holes, and nearly its own hull."""
    roundness = []
    for mask in disks.mask:
        labels, number = ndimage.label(mask)
        for index, box in enumerate(ndimage.find_objects(labels, number), start=1):
            touches = any(
                s.start == 0 or s.stop == n
                for s, n in zip(box, mask.shape, strict=True)
            )
            part = labels[box] == index
            if not touches and part.sum() > 20:
                roundness.append(part.mean())
                # Where several meet there may be a gap between them.
                holes = ndimage.binary_fill_holes(part) & ~part
                assert holes.sum() <= 0.03 * part.sum()
    # A disk fills pi / 4 of its square.
    assert np.median(roundness) == pytest.approx(np.pi / 4, abs=0.12)


def test_disks_have_no_dark_center(disks):
    """Unlike stars that are out of focus."""
    for change, mask in zip(disks.change, disks.mask, strict=True):
        labels, number = ndimage.label(mask)
        depth = ndimage.distance_transform_edt(mask)
        for index in range(1, number + 1):
            inside = labels == index
            middle = change[inside & (depth == depth[inside].max())].max()
            assert middle > 0.7 * np.median(change[inside])


def test_a_telescope_that_moves_draws_disks_out(scene):
    image = np.zeros((128, 160), np.float32)
    _, still = add_with(scene, None, image)
    _, moved = add_with(scene, "_MOVED_OFTEN", image, _MOVED=(40.0, 60.0))
    assert moved.any(axis=(1, 2)).all()
    assert moved.sum() > 1.5 * still.sum()


def test_spectra_run_along_rows_or_columns(scene):
    image = np.zeros((160, 160), np.float32)
    _, masks = add_with(
        scene, "_SPECTRA_OFTEN", image, _RADII=(1.5, 2.0), _SPECTRUM_LENGTHS=(80, 120)
    )
    shapes = []
    for mask in masks:
        labels, _ = ndimage.label(mask)
        boxes = [
            [s.stop - s.start for s in box] for box in ndimage.find_objects(labels)
        ]
        longest = max(boxes, key=max)
        shapes.append(np.log(longest[0] / longest[1]))
    assert np.mean(np.abs(shapes) > 1) > 0.7
    assert min(shapes) < 0 < max(shapes)


def test_an_image_like_this_one_is_left(scene):
    """Where the objects are, but for a shift or a half turn."""
    y, x = np.mgrid[:128, :160]
    image = np.zeros((128, 160))
    for y0, x0, flux in ((40, 50, 2000), (90, 120, 4000), (30, 130, 1000)):
        image += flux * np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / 18)
    image = image.astype(np.float32) * scene.sigma
    light, masks = add_with(
        scene, "_GHOSTS", image, 24, _RADII=(1.5, 1.6), _LEVELS=(0.05, 0.2)
    )
    image = image > 100 * scene.sigma
    alike = 0
    for mask in masks:
        best = 0
        for earlier in (image, image[::-1, ::-1]):
            spectrum = np.fft.rfft2(mask) * np.conj(np.fft.rfft2(earlier))
            best = max(best, np.fft.irfft2(spectrum, s=mask.shape).max())
        alike += best > 0.5 * min(mask.sum(), image.sum())
    assert alike > 18
    assert np.isfinite(light).all()


def test_large_frames_have_more(scene):
    def number(size, often):
        _, masks = add_with(scene, often, np.zeros((size, size), np.float32), 24)
        return max(ndimage.label(mask)[1] for mask in masks)

    assert number(96, None) <= 8
    assert number(512, None) > 8
    assert number(512, "_CROWDED_OFTEN") > 30
