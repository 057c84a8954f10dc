"""How far a network sees: what tiles need to know to leave no seams."""

import numpy as np

from maximask_astro.background import BLOCK
from maximask_astro.networks import ArrayGraph, FrameContext, row_function
from maximask_astro.utils.errors import InputError

__all__ = ["measure_reach", "measure_stride"]

_SIZE = 1024


class _Recorder(ArrayGraph):
    """Evaluates with weights that it makes up, all positive, and notes sizes."""

    def __init__(self):
        super().__init__({})
        self.smallest = _SIZE

    def conv(self, x, name, filters, size=3, activation="relu"):
        self.smallest = min(self.smallest, x.shape[1])
        shape = (size, size, x.shape[-1], filters)
        kernel = np.full(shape, 1 / np.prod(shape[:3]), np.float32)
        self._weights[f"{name}/kernel"] = kernel
        self._weights[f"{name}/bias"] = np.zeros(filters, np.float32)
        return super().conv(x, name, filters, size, activation)


def _evaluate(architecture, options, graph, image):
    """The output for an image, whose frame has nothing to tell."""
    import jax.numpy as jnp

    function = row_function(architecture, options)
    if not options.get("frame"):
        return function(graph, image)
    blocks = [size // BLOCK for size in image.shape[1:3]]
    features = jnp.zeros((1, *blocks, options.get("features", 16)))
    return function(graph, image, FrameContext(features, None, None, None))


def measure_stride(architecture, options):
    """
    Measure by how much the coarsest level of a network is coarser than its input.

    Parameters
    ----------
    architecture : str
        Key of `maximask_astro.models.ARCHITECTURES`: one that gives each pixel logits.

    options : mapping
        Arguments of its builder.

    Returns
    -------
    stride : int
        Sizes of images must be multiples of this, in pixels.
    """
    import jax

    graph = _Recorder()
    image = jax.ShapeDtypeStruct((1, _SIZE, _SIZE, 1), "float32")
    jax.eval_shape(lambda image: _evaluate(architecture, options, graph, image), image)
    return _SIZE // graph.smallest


def measure_reach(architecture, options):
    """
    Measure how far the output of a network depends on its input.

    All weights are made positive and a square of the size of the stride is set
    in an empty image: where the output is not zero, the network saw it. What it sees
    of the whole frame does not count.

    Parameters
    ----------
    architecture, options : str and mapping
        As of `measure_stride`.

    Returns
    -------
    stride : int
        The output moves with the input in multiples of this, in pixels.

    halo : int
        Farthest pixel that matters, rounded up to a multiple of the stride.

    Raises
    ------
    InputError
        The network sees everything, or more than can be measured.
    """
    import jax

    stride = measure_stride(architecture, options)
    # A dependence along one axis is enough: kernels are squares.
    middle = _SIZE // 2
    image = np.zeros((1, _SIZE, 8 * stride, 1), np.float32)
    image[:, middle : middle + stride, 4 * stride : 5 * stride] = 1.0
    output = jax.jit(
        lambda image: _evaluate(architecture, options, _Recorder(), image)
    )(image)
    seen = np.flatnonzero(np.asarray(output)[0].any(axis=(1, 2)))
    halo = int(max(middle - seen[0], seen[-1] - (middle + stride - 1)))
    halo = -(-halo // stride) * stride
    if halo >= middle - stride:
        raise InputError(
            f"The network '{architecture}' sees farther than {halo} pixels; exposures "
            "cannot be cut into tiles for it."
        )
    return stride, halo
