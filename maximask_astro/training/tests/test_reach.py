import numpy as np
import pytest

from maximask_astro.models import build_folded_unet
from maximask_astro.tests.helpers import random_weights
from maximask_astro.training.reach import measure_reach
from maximask_astro.utils.errors import InputError

SIZE = 128
OPTIONS = {"channels": (4, 6, 8), "fine": 2, "detail": 2}


@pytest.fixture(scope="module")
def network():
    network = build_folded_unet(**OPTIONS)
    shapes = {v.path: tuple(v.shape) for v in network.weights}
    for variable, values in zip(
        network.weights, random_weights(shapes).values(), strict=True
    ):
        variable.assign(values)
    return network


def test_pixels_beyond_the_halo_do_not_matter(network):
    stride, halo = measure_reach("folded_unet", OPTIONS)
    assert stride == 8
    assert halo % stride == 0
    random = np.random.default_rng(1)
    image = random.standard_normal((1, SIZE, SIZE, 1)).astype(np.float32)
    before = np.asarray(network(image))
    image[:, SIZE // 2 :] += 5
    changed = np.abs(np.asarray(network(image)) - before)[0].max((1, 2)) > 1e-5
    first = SIZE // 2 - int(np.flatnonzero(changed)[0])
    assert halo - 2 * stride < first <= halo


def test_the_output_moves_with_the_input_by_the_stride(network):
    stride, halo = measure_reach("folded_unet", OPTIONS)
    random = np.random.default_rng(1)
    image = random.standard_normal((1, SIZE, SIZE, 1)).astype(np.float32)
    before = np.asarray(network(image))
    inner = slice(halo, SIZE - halo - stride)
    for shift, same in ((stride, True), (stride // 2, False)):
        moved = np.asarray(network(np.roll(image, shift, axis=1)))
        back = np.roll(moved, -shift, axis=1)
        equal = np.allclose(back[:, inner, inner], before[:, inner, inner], atol=1e-4)
        assert equal == same


def test_what_is_seen_of_the_frame_does_not_count():
    options = {**OPTIONS, "frame": (4, 4), "features": 4}
    assert measure_reach("folded_unet", options) == measure_reach(
        "folded_unet", OPTIONS
    )


def test_networks_that_see_too_far_are_refused():
    deep = {**OPTIONS, "channels": (2,) * 8}
    with pytest.raises(InputError, match="sees farther than"):
        measure_reach("folded_unet", deep)
