"""How far a network sees: what tiles need to know to leave no seams."""

import numpy as np

from maximask_astro.utils.errors import InputError
from maximask_astro.utils.keras_backend import import_keras

__all__ = ["measure_reach", "measure_stride"]

_SIZE = 1024


def measure_stride(network):
    """
    Measure by how much the coarsest level of a network is coarser than its input.

    Parameters
    ----------
    network : `keras.Model`
        From images to logits.

    Returns
    -------
    stride : int
        Sizes of images must be multiples of this, in pixels.
    """
    import jax

    keras = import_keras()
    outputs = [layer.output for layer in network.layers]
    levels = keras.Model(network.inputs, outputs)
    values = [v.value for v in levels.trainable_variables]
    fixed = [v.value for v in levels.non_trainable_variables]
    image = jax.ShapeDtypeStruct((1, _SIZE, _SIZE, 1), "float32")
    shapes, _ = jax.eval_shape(levels.stateless_call, values, fixed, image)
    return _SIZE // min(array.shape[1] for array in jax.tree.leaves(shapes))


def measure_reach(network):
    """
    Measure how far the output of a network depends on its input.

    All weights are made positive and a square of the size of the stride is set
    in an empty image: where the output is not zero, the network saw it.

    Parameters
    ----------
    network : `keras.Model`
        From images to logits, fully convolutional, with activations that keep
        zero and positive numbers what they are. It is not changed.

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

    stride = measure_stride(network)
    # A dependence along one axis is enough: kernels are squares.
    values = []
    for variable in network.trainable_variables:
        shape = tuple(variable.shape)
        fan_in = int(np.prod(shape[:-1]))
        fill = 0.0 if len(shape) == 1 else 1.0 / max(fan_in, 1)
        values.append(np.full(shape, fill, np.float32))
    fixed = [v.value for v in network.non_trainable_variables]
    middle = _SIZE // 2
    image = np.zeros((1, _SIZE, 8 * stride, 1), np.float32)
    image[:, middle : middle + stride, 4 * stride : 5 * stride] = 1.0
    output, _ = jax.jit(network.stateless_call)(values, fixed, image)
    seen = np.flatnonzero(np.asarray(output)[0].any(axis=(1, 2)))
    halo = int(max(middle - seen[0], seen[-1] - (middle + stride - 1)))
    halo = -(-halo // stride) * stride
    if halo >= middle - stride:
        raise InputError(
            f"The network '{network.name}' sees farther than {halo} pixels; exposures "
            "cannot be cut into tiles for it."
        )
    return stride, halo
