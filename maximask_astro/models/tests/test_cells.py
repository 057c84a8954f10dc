import numpy as np
import pytest
from jax import lax

from maximask_astro.models.cells import folded_kernel, shifted_kernel


def convolve(image, kernel, padding):
    return np.asarray(
        lax.conv_general_dilated(
            image[None],
            kernel,
            (1, 1),
            padding,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )[0]
    )


def fold(image):
    height, width, channels = image.shape
    cells = image.reshape(height // 2, 2, width // 2, 2, channels)
    return cells.transpose(0, 2, 1, 3, 4).reshape(height // 2, width // 2, -1)


@pytest.fixture(params=[(1, 3), (4, 2)])
def images(request):
    """An image, a kernel, and what they give."""
    channels, filters = request.param
    random = np.random.RandomState(0)
    image = random.normal(size=(10, 14, channels)).astype("f4")
    kernel = random.normal(size=(3, 3, channels, filters)).astype("f4")
    return image, kernel, convolve(image, kernel, "SAME")


def test_folded_images_are_convolved_as_images_are(images):
    image, kernel, expected = images
    found = convolve(fold(image), folded_kernel(kernel), "SAME")
    np.testing.assert_allclose(found, fold(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("split", [0, 1])
def test_cells_between_cells(images, split):
    image, kernel, expected = images
    cells = np.concatenate([fold(image[..., :split]), fold(image[..., split:])], -1)
    found = convolve(cells, shifted_kernel(kernel, split), ((1, 1), (1, 1)))
    # As pixels, without those beyond the border.
    found = found.reshape(*found.shape[:2], 2, 2, -1).transpose(0, 2, 1, 3, 4)
    found = found.reshape(image.shape[0] + 2, image.shape[1] + 2, -1)[1:-1, 1:-1]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
