"""
Make the test tensors of the published networks, with TensorFlow.

Run once, in an environment of its own with ``tensorflow-cpu``, ``astropy`` and
``scipy``, and the wheel of MaxiMask 1.4.1 unpacked in DIRECTORY::

    PYTHONPATH=. python benchmarks/make_test_tensors.py DIRECTORY

It writes ``maximask_astro/weights/cards/*.test.npz``: the published networks'
own probabilities for `maximask_astro.weights.make_test_block`, for MaxiMask
on every eighth row and column.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from maximask_astro.weights.verify import make_test_block

CARDS = Path(__file__).parents[1] / "maximask_astro" / "weights" / "cards"


def main():
    """Run both networks and save what they give."""
    root = Path(sys.argv[1]) / "maximask_and_maxitrack"
    image = tf.constant(make_test_block(400)[None, :, :, None])

    network = tf.saved_model.load(str(root / "maximask" / "model"))
    classes = tf.range(14)
    zeros = tf.zeros(14)  # no prior update, no thresholds, no bits
    output = network([image, classes, zeros, zeros, zeros], False).numpy()[0]
    rows, columns = (axis.ravel() for axis in np.mgrid[3:400:8, 3:400:8])
    np.savez_compressed(
        CARDS / "maximask-1.4.1.test.npz",
        rows=rows.astype(np.int16),
        columns=columns.astype(np.int16),
        probabilities=output[rows, columns],
    )
    print("maximask", output.shape, output.min(), output.max(), output.mean((0, 1)))

    network = tf.saved_model.load(str(root / "maxitrack" / "model"))
    output = network(image, False).numpy()[0]
    np.savez_compressed(CARDS / "maxitrack-1.4.1.test.npz", probabilities=output)
    print("maxitrack", output)


if __name__ == "__main__":
    main()
