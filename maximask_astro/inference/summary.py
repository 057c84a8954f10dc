"""Run networks that say something about a whole image on its tiles."""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby, islice

import numpy as np
from tqdm import tqdm

__all__ = ["SummaryEngine", "WholeTile", "plan_last_blocks", "plan_whole_tiles"]

_BATCH_ON_CPU, _BATCH = 1, 32

# Batches that may be under way, while the next is prepared.
_AHEAD = 2


@dataclass(frozen=True)
class WholeTile:
    """
    A tile that is judged as a whole.

    Parameters
    ----------
    top, left : int
        Its first pixel.

    height, width : int
        Its size.
    """

    top: int
    left: int
    height: int
    width: int

    @property
    def box(self):
        """The tile as slices of rows and columns."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )


def _along(length, block, stride):
    """Where tiles begin along an axis that they cover evenly, and their size."""
    number = max(round(length / block), 1)
    size = length // number // stride * stride
    rest = length - number * size
    # What no tile covers is shared between the gaps and the two ends.
    starts = [
        index * size + round(rest * (index + 1) / (number + 1))
        for index in range(number)
    ]
    return starts, size


def plan_whole_tiles(shape, *, block, stride, smallest):
    """
    Place tiles that do not overlap in an image.

    Parameters
    ----------
    shape : tuple of two int
        Height and width of the image in pixels.

    block : int
        The side that tiles should have; they have it more or less, so that they
        cover nearly all of the image.

    stride : int
        Sides are multiples of this.

    smallest : int
        Images with a smaller side have no tile.

    Returns
    -------
    tiles : list of `WholeTile`
        Row by row.
    """
    if min(shape) < max(smallest, stride):
        return []
    (rows, height), (columns, width) = (
        _along(length, block, stride) for length in shape
    )
    return [WholeTile(top, left, height, width) for top in rows for left in columns]


def plan_last_blocks(shape, block):
    """
    Place the blocks of MaxiTrack 1.4.1 in an image.

    Parameters
    ----------
    shape : tuple of two int
        Height and width of the image in pixels.

    block : int
        Side of the blocks. They end at the end of the image; at its beginning,
        rows and columns that do not make a block are left out.

    Returns
    -------
    tiles : list of `WholeTile`
        Row by row; empty for images that are smaller.
    """
    rows, columns = (range(n % block, n - block + 1, block) for n in shape)
    return [WholeTile(top, left, block, block) for top in rows for left in columns]


@lru_cache(maxsize=8)
def _compiled(network):
    """One jitted function a network, shared by all engines that use it."""
    import jax

    fixed = [variable.value for variable in network.non_trainable_variables]

    @jax.jit
    def evaluate(weights, images):
        outputs, _ = network.stateless_call(weights, fixed, images, training=False)
        return outputs

    return partial(evaluate, [v.value for v in network.trainable_variables])


class SummaryEngine:
    """
    Evaluate a network on tiles of images.

    An engine holds no state of a call and may be used from several threads.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    batch_size : int, optional
        Tiles evaluated at a time; the result is the same, but for the last bits
        of floating point. The default is 1 on a CPU, 32 elsewhere.

    Raises
    ------
    ValueError
        ``batch_size`` is not positive.
    """

    def __init__(self, model, *, batch_size=None):
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
        self.model = model
        self.batch_size = batch_size

    def run(self, tiles, *, total=None, progress_bar=False):
        """
        Evaluate the network.

        Parameters
        ----------
        tiles : iterable of `~numpy.ndarray`
            Two-dimensional and normalized. They are taken one by one; those that
            follow one another and have the same shape are evaluated together,
            while the next are taken.

        total : int, optional
            How many tiles there are, for the progress bar.

        progress_bar : bool, optional
            Whether to show a progress bar.

        Returns
        -------
        outputs : list of `~numpy.ndarray`
            float32, one a tile.
        """
        import jax

        default = _BATCH_ON_CPU if jax.default_backend() == "cpu" else _BATCH
        size = self.batch_size or default
        evaluate = _compiled(self.model.network)
        outputs, pending = [], deque()

        def finish():
            found, number = pending.popleft()
            outputs.extend(np.asarray(found)[:number])
            progress.update(number)

        with tqdm(total=total, unit="tile", disable=not progress_bar) as progress:
            for batch in _batches(tiles, size):
                number = len(batch)
                # A batch that is not full is as large as others: no new compilation.
                images = np.zeros((size, *batch[0].shape, 1), np.float32)
                images[:number, ..., 0] = batch
                pending.append((evaluate(images), number))
                if len(pending) > _AHEAD:
                    finish()
            while pending:
                finish()
        return outputs


def _batches(tiles, size):
    """Lists of up to so many tiles that follow one another and have one shape."""
    for _, alike in groupby(tiles, np.shape):
        while batch := list(islice(alike, size)):
            yield batch
