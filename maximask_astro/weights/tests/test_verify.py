import shutil

import numpy as np
import pytest

from maximask_astro.utils import ModelIntegrityError
from maximask_astro.weights import make_test_block, verify_model


@pytest.fixture
def copy(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "copy")


def test_test_block_is_always_the_same_and_varied():
    block = make_test_block(400)
    assert block.shape == (400, 400)
    assert block.dtype == np.float32
    assert np.array_equal(block, make_test_block(400))
    assert np.isfinite(block).all()
    assert block.max() > 1000
    assert np.abs(np.median(block)) < 1


def test_intact_model_passes(tiny_model):
    verification = verify_model(tiny_model)
    assert verification.passed
    assert verification.name == "tiny"
    assert verification.n_values == 22 * 14
    assert verification.largest_difference <= 1e-4


@pytest.mark.parametrize("value", [2e-4, np.nan])
def test_a_model_that_gives_something_else_fails(copy, value):
    with np.load(copy / "test.npz") as archive:
        test = dict(archive)
    test["probabilities"][3, 5] += value
    np.savez(copy / "test.npz", **test)
    verification = verify_model(copy)
    assert not verification.passed


def test_missing_or_damaged_test_tensors(copy):
    (copy / "test.npz").write_bytes(b"damaged")
    with pytest.raises(ModelIntegrityError, match=r"test\.npz is damaged"):
        verify_model(copy)
    np.savez(copy / "test.npz", rows=np.arange(3))
    with pytest.raises(ModelIntegrityError, match="no test tensors columns, prob"):
        verify_model(copy)
    (copy / "test.npz").unlink()
    with pytest.raises(ModelIntegrityError, match="test tensors is missing"):
        verify_model(copy)


@pytest.mark.published_weights
@pytest.mark.parametrize("name", ["maximask-1.4.1", "maxitrack-1.4.1"])
def test_published_networks_pass(name):
    verification = verify_model(name)
    assert verification.passed, verification
