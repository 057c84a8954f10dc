import numpy as np
import pytest
from scipy import ndimage

from maximask_astro.simulation.nebulosity import add_nebulosity


@pytest.fixture(scope="module")
def nebulosity(contaminate):
    return contaminate(add_nebulosity)


def test_nebulosity_only_adds_light(nebulosity):
    assert np.isfinite(nebulosity.after).all()
    assert nebulosity.change.min() > -1e-3


def test_every_exposure_has_some_and_some_are_not_full(nebulosity):
    fraction = nebulosity.mask.mean(axis=(1, 2))
    assert np.all(fraction > 0.02)
    assert np.mean(fraction < 0.9) > 0.2
    assert np.all((nebulosity.change < 1e-3).any(axis=(1, 2)))


def test_labels_follow_the_light_and_do_not_wrap_around(nebulosity):
    for change, mask in zip(nebulosity.change, nebulosity.mask, strict=True):
        around = ndimage.gaussian_filter(change, 6.0, mode="reflect", truncate=2.6)
        # The far tails of the two kernels differ.
        tolerance = 0.1 + 0.01 * change.max()
        assert np.all(mask[around > 0.5 + tolerance])
        assert not np.any(mask[around < 0.5 - tolerance])


def test_clouds_are_smooth(nebulosity):
    steps = np.mean(np.diff(nebulosity.change, axis=2) ** 2, axis=(1, 2))
    assert np.all(steps < 0.1 * nebulosity.change.var(axis=(1, 2)))


def test_nebulosity_as_in_the_paper(contaminate):
    done = contaminate(add_nebulosity, as_paper=True)
    assert done.change.std(axis=(1, 2)) == pytest.approx(1.3, rel=0.15)
    for change, mask in zip(done.change, done.mask, strict=True):
        bright = ndimage.binary_erosion(change > 1.3, np.ones((5, 5)), border_value=1)
        dilated = ndimage.binary_dilation(bright, np.ones((19, 19)))
        assert np.mean(mask == dilated) > 0.99
