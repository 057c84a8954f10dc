import jax
import numpy as np
import pytest

from maximask_astro.networks import apply_kernel


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize(
    ("size", "channels", "filters", "width"),
    [
        (1, 5, 3, 6),
        (3, 1, 8, 24),  # eight pixels together
        (3, 1, 32, 20),  # two
        (3, 1, 4, 7),  # one
        (5, 1, 4, 12),
        (3, 20, 14, 9),  # lanes are filled up
        (3, 4, 16, 1),
    ],
)
def test_convolutions_are_those_of_xla(size, channels, filters, width, above):
    random = np.random.RandomState(size)
    images = random.standard_normal((2, 7, width, channels)).astype(np.float32)
    kernel = random.standard_normal((size, size, channels, filters)).astype(np.float32)
    beside = (size // 2, size // 2)
    expected = jax.lax.conv_general_dilated(
        images,
        kernel,
        (1, 1),
        (beside if above else (0, 0), beside),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    found = jax.jit(apply_kernel, static_argnames="above")(images, kernel, above=above)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, atol=1e-4)
