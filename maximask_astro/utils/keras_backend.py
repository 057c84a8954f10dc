"""
The one place that imports Keras.

Keras picks its backend when it is first imported. This library needs JAX, so
`import_keras` asks for it, unless another backend is already loaded.
"""

import os
import sys

__all__ = ["import_keras"]


def import_keras():
    """
    Import Keras with its JAX backend.

    Returns
    -------
    keras : module
        The Keras package.

    Raises
    ------
    RuntimeError
        Keras was already imported with, or the environment asks for, a
        backend other than JAX.
    """
    if "keras" in sys.modules:
        import keras

        backend = keras.backend.backend()
    else:
        backend = os.environ.get("KERAS_BACKEND") or "jax"
        os.environ["KERAS_BACKEND"] = backend
    if backend != "jax":
        raise RuntimeError(
            f"maximask_astro needs Keras with the JAX backend, but Keras is using "
            f"'{backend}': set the environment variable KERAS_BACKEND=jax before "
            "Keras is first imported."
        )
    import keras

    return keras
