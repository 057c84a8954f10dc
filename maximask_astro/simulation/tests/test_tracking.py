import jax
import numpy as np
import pytest

from maximask_astro.simulation import TrackingTruth, simulate_tracking

SHAPE = (64, 64)


@pytest.fixture(scope="module")
def drawn():
    return simulate_tracking(jax.random.key(3), 24, SHAPE)


def test_exposures_and_what_they_are_like(drawn):
    images, truth = drawn
    assert images.shape == (24, *SHAPE)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()
    assert isinstance(truth, TrackingTruth)
    assert all(values.shape == (24,) for values in truth)
    assert set(np.unique(truth.affected)) <= {0, 1, 2}
    assert (truth.affected == 2).sum() >= 5
    assert (truth.affected == 0).sum() >= 5
    assert 0 < truth.defocused.sum() < 12
    blurred, not_blurred = (truth.length[truth.affected == k] for k in (2, 0))
    assert blurred.min() > 1.4
    assert (not_blurred < 0.31 * truth.fwhm[truth.affected == 0]).all()
    assert 0 < (truth.n_stars > 0).sum() < 24


def test_keys_decide(drawn):
    images, truth = simulate_tracking(jax.random.key(3), 24, SHAPE)
    others, _ = simulate_tracking(jax.random.key(4), 24, SHAPE)
    assert np.array_equal(images, drawn[0])
    assert jax.tree.all(jax.tree.map(np.array_equal, truth, drawn[1]))
    assert not np.array_equal(images, others)
