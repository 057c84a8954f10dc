"""The weights that a network has before it is trained."""

import random

import numpy as np

from maximask_astro.utils.keras_backend import import_keras

__all__ = ["HE_NORMAL", "HeNormal"]

keras = import_keras()


class HeNormal(keras.initializers.Initializer):
    """
    Draw the first weights of a kernel.

    Normal numbers with a variance of two over the number of inputs (He et al. 2015,
    ICCV, equation 10), as those of `keras.initializers.HeNormal`. But NumPy draws them:
    for each shape, JAX would compile a program of its own, which takes seconds. They
    follow from the seed of Python's generator, as Keras' do.
    """

    def __call__(self, shape, dtype=None):
        """
        Draw weights.

        Parameters
        ----------
        shape : tuple of int
            Of the kernel; the last axis is that of the outputs.

        dtype : str, optional
            Of the weights, by default float32.

        Returns
        -------
        weights : `jax.Array`
            The weights.
        """
        rng = np.random.default_rng(random.getrandbits(64))
        weights = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
        return keras.ops.convert_to_tensor(weights, dtype or "float32")


# What networks begin with unless told otherwise.
HE_NORMAL = HeNormal()
