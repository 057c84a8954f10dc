import numpy as np
import pytest

from maximask_astro.models import build_maxitrack


def test_published_size():
    network = build_maxitrack(kernel_initializer="zeros")
    assert network.count_params() == 8_263_810
    slopes = [v for v in network.weights if v.path.endswith("alpha")]
    assert sum(int(np.prod(v.shape)) for v in slopes) == 4_880_128
    assert len(network.weights) == 23
    assert network.output_shape == (None, 2)


def test_one_size_of_image_only():
    network = build_maxitrack(16, channels=(2, 3), n_units=4)
    assert np.asarray(network(np.zeros((3, 16, 16, 1), np.float32))).shape == (3, 2)
    with pytest.raises(ValueError, match="incompatible"):
        network(np.zeros((3, 17, 16, 1), np.float32))
