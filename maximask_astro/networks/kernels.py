"""Convolutions that XLA would compute slowly on a CPU."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["apply_kernel"]

# The kernels of XLA's CPU back end are fastest for a multiple of so many
# channels.
_LANES = 16

# So many channels may be added to have one, and no more.
_FEW = 2

# Pixels of an image of one channel that are taken together at most, and filters.
_CELL, _CELL_FILTERS = 8, 64


def _convolve(images, kernel, there, *, above, strides=(1, 1)):
    """Convolve with zeros beside images, and above and below them if wanted."""
    beside = kernel.shape[0] // 2
    above = beside if above else 0
    convolve = partial(
        lax.conv_general_dilated,
        window_strides=strides,
        padding=((above, above), (beside, beside)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return _only_if(there, convolve, images, kernel)


def _only_if(there, convolve, images, kernel):
    """Convolve images, or give zeros."""
    if there is None:
        return convolve(images, kernel)
    nothing = jax.eval_shape(convolve, images, kernel)
    return lax.cond(
        there,
        convolve,
        lambda *_: jnp.zeros(nothing.shape, nothing.dtype),
        images,
        kernel,
    )


def _convolve_on_cpu(images, kernel, there, *, above):
    size, _, channels, filters = kernel.shape
    if size == 1:
        multiply = partial(lax.dot_general, dimension_numbers=(((3,), (0,)), ((), ())))
        return _only_if(there, multiply, images, kernel[0, 0])
    if channels == 1:
        return _convolve_cells(images, kernel, there, above=above)
    # A few channels more, which are thrown away.
    missing = -filters % _LANES
    if missing > _FEW:
        missing = 0
    if missing:
        kernel = jnp.pad(kernel, [(0, 0)] * 3 + [(0, missing)])
    return _convolve(images, kernel, there, above=above)[..., :filters]


def _convolve_cells(images, kernel, there, *, above):
    """Convolve one channel: pixels beside each other become filters of their own."""
    filters = kernel.shape[-1]
    number, _, width, _ = images.shape
    cell = max(
        n for n in _divisors(_CELL) if width % n == 0 and n * filters <= _CELL_FILTERS
    )
    shifted = [
        jnp.pad(kernel, ((0, 0), (shift, cell - 1 - shift), (0, 0), (0, 0)))
        for shift in range(cell)
    ]
    # Filters are the last axis: those of the first pixel, of the second, ...
    kernel = jnp.concatenate(shifted, axis=-1)
    convolved = _convolve(images, kernel, there, above=above, strides=(1, cell))
    return convolved.reshape(number, -1, width, filters)


def apply_kernel(images, kernel, *, above=True, there=None):
    """
    Convolve images, in the way that is fastest on the device.

    Parameters
    ----------
    images : array
        Shape (batch, height, width, channels).

    kernel : array
        Shape (size, size, channels, filters), size odd.

    above : bool, optional
        Whether zeros are above and below the images; otherwise only those rows are
        returned that need none, height - size + 1. They are beside them always.

    there : array of bool, optional
        A single value: where it is False, nothing is computed, and the result is zero.

    Returns
    -------
    convolved : array
        Shape (batch, height, width, filters).
    """
    # Not `jax.lax.platform_dependent`, which traces both and makes two programs of
    # one: all devices of a process are of one kind.
    on_cpu = jax.default_backend() == "cpu"
    convolve = _convolve_on_cpu if on_cpu else _convolve
    return convolve(images, kernel, there, above=above)


def _divisors(number):
    return [n for n in range(1, number + 1) if number % n == 0]
