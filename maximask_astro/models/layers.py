"""Layers whose gradients XLA would compute slowly on a CPU."""

import jax
import jax.numpy as jnp
from jax import lax

from maximask_astro.networks import apply_kernel
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["Convolution", "convolve", "pool"]

keras = import_keras()
ops = keras.ops

# Images smaller than this are handled together, in pixels.
_TOGETHER = 16384


def _convolve(images, kernel):
    return lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _kernel_gradient(images, upstream, kernel):
    """Gradient with respect to the kernel, as XLA does it."""
    _, pull = jax.vjp(lambda kernel: _convolve(images, kernel), kernel)
    return pull(upstream)[0]


def _kernel_gradient_on_cpu(images, upstream, kernel):
    """
    Gradient with respect to the kernel, as a matrix product.

    The image shifted up and down, times the upstream gradient shifted left and right:
    together all places of the kernel, in one product of large matrices. Images come
    one by one, or a few small ones together: so many fit into the cache.
    """
    size = kernel.shape[0]
    radius = size // 2
    number, height, width = images.shape[:3]
    group = max(
        n for n in _divisors(number) if n * height * width <= _TOGETHER or n == 1
    )

    def shifted(values, axis, starts):
        """Copies of maps, moved along an axis, side by side as channels."""
        around = [(radius, radius) if n == axis else (0, 0) for n in range(4)]
        padded, length = jnp.pad(values, around), values.shape[axis]
        copies = [
            lax.slice_in_dim(padded, start, start + length, axis=axis)
            for start in starts
        ]
        copies = jnp.concatenate(copies, axis=-1)
        return copies.reshape(-1, copies.shape[-1])

    def add_group(total, pair):
        images, upstream = pair
        product = lax.dot_general(
            shifted(images, 1, range(size)),
            shifted(upstream, 2, range(size - 1, -1, -1)),
            (((0,), (0,)), ((), ())),
            preferred_element_type=jnp.float32,
        )
        return total + product, None

    channels, filters = kernel.shape[2:]
    total = jnp.zeros((size * channels, size * filters), jnp.float32)
    groups = [
        values.reshape(-1, group, *values.shape[1:]) for values in (images, upstream)
    ]
    total, _ = lax.scan(add_group, total, tuple(groups))
    total = total.reshape(size, channels, size, filters).swapaxes(1, 2)
    return total.astype(kernel.dtype)


def _divisors(number):
    return [n for n in range(1, number + 1) if number % n == 0]


@jax.custom_vjp
def convolve(images, kernel):
    """
    Convolve images, with a gradient that is fast on CPUs as well.

    On XLA's CPU back end, the gradient of a convolution with respect to its
    kernel takes far longer than the convolution; a product of matrices does not.

    Parameters
    ----------
    images : array
        Shape (batch, height, width, channels).

    kernel : array
        Shape (size, size, channels, filters), size odd.

    Returns
    -------
    convolved : array
        Shape (batch, height, width, filters): zeros are beyond the border.
    """
    return apply_kernel(images, kernel)


def _convolve_forward(images, kernel):
    return apply_kernel(images, kernel), (images, kernel)


def _convolve_backward(saved, upstream):
    images, kernel = saved
    turned = jnp.swapaxes(kernel[::-1, ::-1], 2, 3)
    on_cpu = jax.default_backend() == "cpu"
    gradient = _kernel_gradient_on_cpu if on_cpu else _kernel_gradient
    return apply_kernel(upstream, turned), gradient(images, upstream, kernel)


convolve.defvjp(_convolve_forward, _convolve_backward)


@keras.saving.register_keras_serializable(package="maximask_astro")
class Convolution(keras.layers.Conv2D):
    """
    A two-dimensional convolution that is fast to train on CPUs as well.

    Parameters
    ----------
    filters : int
        Number of channels of the output.

    kernel_size : int
        Odd.

    **kwargs
        As of `keras.layers.Conv2D`, but for ``strides``, ``padding``,
        ``data_format``, ``dilation_rate`` and ``groups``.
    """

    def __init__(self, filters, kernel_size, **kwargs):
        kwargs = {**kwargs, "padding": "same", "data_format": "channels_last"}
        super().__init__(filters, kernel_size, **kwargs)

    def convolution_op(self, inputs, kernel):
        """
        Convolve.

        Parameters
        ----------
        inputs : tensor
            Shape (batch, height, width, channels).

        kernel : tensor or `keras.Variable`
            Shape (size, size, channels, filters).

        Returns
        -------
        convolved : tensor
            Shape (batch, height, width, filters).
        """
        return convolve(inputs, ops.convert_to_tensor(kernel))


def pool(images):
    """
    Take the largest of each 2 by 2 pixels.

    The gradient of XLA's own pooling is slow on a CPU.

    Parameters
    ----------
    images : tensor
        Shape (batch, height, width, channels), both sizes even.

    Returns
    -------
    pooled : tensor
        Shape (batch, height / 2, width / 2, channels).
    """
    upper = ops.maximum(images[:, ::2, ::2], images[:, ::2, 1::2])
    lower = ops.maximum(images[:, 1::2, ::2], images[:, 1::2, 1::2])
    return ops.maximum(upper, lower)
