import random

import numpy as np
import pytest

from maximask_astro.models import ARCHITECTURES
from maximask_astro.models.first_weights import HeNormal


def test_the_signal_keeps_its_strength():
    random.seed(1)
    weights = np.asarray(HeNormal()((3, 3, 40, 50)))
    assert weights.dtype == np.float32
    # The mean of 18,000 numbers, within four standard errors.
    assert weights.mean() == pytest.approx(0, abs=4 * (2 / 360 / 18000) ** 0.5)
    assert weights.std() == pytest.approx((2 / 360) ** 0.5, rel=0.02)


def test_the_seed_decides():
    drawn = []
    for seed in (1, 1, 2):
        random.seed(seed)
        drawn.append(np.asarray(HeNormal()((3, 3, 4, 5))))
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("maximask", {"channels": (4, 6, 8, 10, 12, 12)}),
        ("folded_unet", {"channels": (4, 6), "fine": 2, "detail": 2}),
    ],
)
def test_networks_begin_with_them(name, options):
    networks = [ARCHITECTURES[name](**options) for _ in range(2)]
    kernels = [
        [np.asarray(v) for v in network.weights if "kernel" in v.path]
        for network in networks
    ]
    assert len(kernels[0]) > 4
    for first, second in zip(*kernels, strict=True):
        if first.any():
            assert not np.array_equal(first, second)
    assert sum(kernel.any() for kernel in kernels[0]) > 4
