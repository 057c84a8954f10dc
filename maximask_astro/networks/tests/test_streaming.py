import jax
import numpy as np
import pytest

from maximask_astro.models import ARCHITECTURES
from maximask_astro.networks import RowNetwork, row_function
from maximask_astro.tests.helpers import (
    TINY_CHANNELS,
    random_weights,
)

OPTIONS = {
    "folded_unet": {"n_classes": 3, "channels": (4, 6, 8), "fine": 3, "detail": 4},
    "maximask": {"n_classes": 3, "channels": TINY_CHANNELS},
}
STRIDES = {"folded_unet": 8, "maximask": 32}


@pytest.fixture(scope="module", params=OPTIONS)
def networks(request):
    """The stride, a Keras network, and the function that runs it on rows."""
    options = OPTIONS[request.param]
    network = ARCHITECTURES[request.param](**options, kernel_initializer="zeros")
    weights = random_weights({v.path: tuple(v.shape) for v in network.weights})
    for variable in network.weights:
        variable.assign(weights[variable.path])
    function = row_function(request.param, options)
    return STRIDES[request.param], network, function, weights


def run_rows(function, weights, image, rows):
    """The logits of an image, some rows at a time."""
    height, width = image.shape
    network = RowNetwork(function, weights, rows, width)
    step = jax.jit(network.step)
    state, parts = network.first_state(), []
    for start in range(0, height + network.late, rows):
        # Below the image is garbage.
        part = np.full((rows, width, 1), 1e6, np.float32)
        inside = image[start : start + rows]
        part[: len(inside), :, 0] = inside
        sizes = [array.shape for queue in state for array in queue]
        logits, new = step(weights, network.before_step(state), part, start, height)
        state = network.after_step(state, new)
        assert sizes == [array.shape for queue in state for array in queue]
        parts.append(np.asarray(logits))
    assert len({part.shape for part in parts}) == 1
    whole = np.concatenate(parts)[network.late :][:height]
    assert whole.shape == (height, width, network.n_channels)
    return whole


@pytest.mark.parametrize("numbers", [(1, 9), (2, 5), (4, 4), (6, 3)])
def test_rows_give_what_one_pass_gives(networks, numbers):
    """Bands of so many strides, so many strides of rows: to rounding."""
    stride, network, function, weights = networks
    rows, height = (number * stride for number in numbers)
    random = np.random.RandomState(sum(numbers))
    image = random.normal(0, 3, (height, 3 * stride)).astype(np.float32)
    # Flat parts: where maxima are equal, the first one counts.
    image[: height // 2, :stride] = 2.0
    found = run_rows(function, weights, image, rows)
    expected = np.asarray(jax.jit(network)(image[None, ..., None]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.ptp(expected) > 0.5


def test_what_is_kept_hardly_depends_on_the_rows_at_a_time(networks):
    """Nor on the height of the image, see above: queues are as long as a wait."""
    stride, _, function, weights = networks
    sizes = []
    for rows in (2 * stride, 8 * stride):
        network = RowNetwork(function, weights, rows, 64)
        sizes.append(sum(a.size for queue in network.first_state() for a in queue))
    assert min(sizes) > 0.5 * max(sizes)
