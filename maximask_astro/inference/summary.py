"""Run networks that say something about a whole image on its tiles."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from tqdm import tqdm

__all__ = ["SummaryEngine", "WholeTile", "plan_last_blocks", "plan_whole_tiles"]

_BATCH_ON_CPU, _BATCH = 4, 32


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
        of floating point. The default is 4 on a CPU, 32 elsewhere.

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

    def run(self, tiles, *, progress_bar=False):
        """
        Evaluate the network.

        Parameters
        ----------
        tiles : sequence of `~numpy.ndarray`
            Two-dimensional, normalized, all of the same shape.

        progress_bar : bool, optional
            Whether to show a progress bar.

        Returns
        -------
        outputs : `~numpy.ndarray`
            float32, a row a tile.
        """
        import jax

        default = _BATCH_ON_CPU if jax.default_backend() == "cpu" else _BATCH
        size = min(self.batch_size or default, len(tiles))
        evaluate = _compiled(self.model.network)
        outputs = []
        with tqdm(total=len(tiles), unit="tile", disable=not progress_bar) as progress:
            for first in range(0, len(tiles), size):
                batch = np.stack(tiles[first : first + size])
                number = len(batch)
                # The last batch is as large as the others: it is compiled already.
                missing = [(0, size - number), (0, 0), (0, 0)]
                found = evaluate(np.pad(batch, missing)[..., None])
                outputs.append(np.asarray(found)[:number])
                progress.update(number)
        return np.concatenate(outputs)
