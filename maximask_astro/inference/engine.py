"""
Run a network over an image of any size, tile by tile.

The engine knows arrays, tiles and devices. What the channels mean, and where
the numbers below come from, is its caller's business.
"""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from tqdm import tqdm

from maximask_astro.inference.symmetry import spread_over_symmetries
from maximask_astro.inference.tiling import pad_image, plan_blocks, plan_tiles

__all__ = ["ClassDecision", "EngineOutput", "TileEngine"]

TILINGS = ("seamless", "original")

_DEFAULT_TILE_SIZE = 1536


@dataclass(frozen=True)
class ClassDecision:
    """
    How the logit of one channel becomes a verdict.

    Parameters
    ----------
    channel : int
        Channel of the network's output.

    log_factor : float
        Shift of the logit, from `maximask_astro.inference.log_prior_factor`.

    threshold : float
        The verdict is yes where the posterior probability is above this.

    code : int
        Bit that stands for a yes.
    """

    channel: int
    log_factor: float
    threshold: float
    code: int


@dataclass(frozen=True)
class EngineOutput:
    """
    What `TileEngine.run` returns.

    Parameters
    ----------
    codes : `~numpy.ndarray`
        uint32, shape (height, width): the codes of all verdicts, ORed.

    probabilities, uncertainties : `~numpy.ndarray` or None
        float32, shape (classes, height, width): posterior probabilities in
        [0, 1] and their standard deviation over the eight symmetries of the
        square. None unless asked for.
    """

    codes: np.ndarray
    probabilities: np.ndarray | None = None
    uncertainties: np.ndarray | None = None


@lru_cache(maxsize=8)
def _compiled(network):
    """One jitted function a network, shared by all engines that use it."""
    import jax
    import jax.numpy as jnp

    fixed = [variable.value for variable in network.non_trainable_variables]

    @partial(jax.jit, static_argnames=("channels", "probabilities", "uncertainties"))
    def evaluate(
        weights,
        images,
        log_factors,
        thresholds,
        codes,
        *,
        channels,
        probabilities,
        uncertainties,
    ):
        def posterior(views):
            logits, _ = network.stateless_call(weights, fixed, views, training=False)
            logits = logits[..., jnp.array(channels)]
            return jax.nn.sigmoid(logits - log_factors)

        spread = None
        if uncertainties:
            values, spread = spread_over_symmetries(posterior, images)
            spread = jnp.moveaxis(spread, -1, 1)
        else:
            values = posterior(images)
        verdict = jnp.where(values > thresholds, codes, 0).sum(-1, dtype=jnp.uint32)
        planes = jnp.moveaxis(values, -1, 1) if probabilities else None
        return verdict, planes, spread

    weights = [variable.value for variable in network.trainable_variables]
    return partial(evaluate, weights)


class TileEngine:
    """
    Evaluate a network on images of any size.

    An engine holds no state of a call and may be used from several threads.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    tiling : {'seamless', 'original'}, optional
        ``'seamless'`` gives the result of one pass over the whole image,
        whatever the size of the tiles; ``'original'`` uses the overlapping
        blocks of MaxiMask 1.4.1, and gives its result.

    tile_size : int, optional
        Largest height and width of a tile in pixels, for ``'seamless'``.
        Larger tiles are faster and take more memory.

    batch_size : int, optional
        Tiles evaluated at a time. The default is 1 on a CPU, 8 elsewhere.

    Raises
    ------
    ValueError
        ``tiling`` is unknown, ``tile_size`` too small for the model, or
        ``batch_size`` is not positive.
    """

    def __init__(self, model, *, tiling="seamless", tile_size=None, batch_size=None):
        if tiling not in TILINGS:
            raise ValueError(
                f"There is no tiling '{tiling}'; there are {', '.join(TILINGS)}."
            )
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
        self.model = model
        self.tiling = tiling
        self.tile_size = _DEFAULT_TILE_SIZE if tile_size is None else tile_size
        self.batch_size = batch_size
        self.plan((1, 1))  # refuse a tile size that cannot work now, not later

    def plan(self, shape):
        """
        Plan the tiles of an image.

        Parameters
        ----------
        shape : tuple of two int
            Size of the image.

        Returns
        -------
        padded_shape : tuple of two int
            What the image must be extended to.

        tile_shape : tuple of two int
            Size of every tile.

        tiles : list of `Tile`
            The tiles, in the order in which to keep them.
        """
        numbers = self.model.card.input
        if self.tiling == "original":
            block = numbers["block"]
            padded = tuple(max(size, block) for size in shape)
            return padded, *plan_blocks(padded, block)
        stride = numbers["stride"]
        padded = tuple(-(-size // stride) * stride for size in shape)
        return padded, *plan_tiles(
            shape, tile_size=self.tile_size, halo=numbers["halo"], stride=stride
        )

    def run(
        self,
        image,
        decisions,
        *,
        probabilities=True,
        uncertainties=False,
        progress_bar=False,
    ):
        """
        Evaluate the network on an image.

        Parameters
        ----------
        image : `~numpy.ndarray`
            Two-dimensional float32, normalized, without NaN.

        decisions : sequence of `ClassDecision`
            The channels wanted and how to judge them.

        probabilities, uncertainties : bool, optional
            Whether to return posterior probabilities, and their spread over
            the eight symmetries of the square (eight times the work).

        progress_bar : bool, optional
            Whether to show a progress bar over tiles.

        Returns
        -------
        output : `EngineOutput`
            Codes, and what else was asked for.
        """
        import jax

        image = np.ascontiguousarray(image, dtype=np.float32)
        padded_shape, tile_shape, tiles = self.plan(image.shape)
        padded = pad_image(image, padded_shape)
        batch_size = self.batch_size or (1 if jax.default_backend() == "cpu" else 8)
        batch_size = min(batch_size, len(tiles))

        evaluate = partial(
            _compiled(self.model.network),
            log_factors=np.array([d.log_factor for d in decisions], np.float32),
            thresholds=np.array([d.threshold for d in decisions], np.float32),
            codes=np.array([d.code for d in decisions], np.uint32),
            channels=tuple(d.channel for d in decisions),
            probabilities=probabilities,
            uncertainties=uncertainties,
        )
        cube = (len(decisions), *padded_shape)
        planes = [
            np.zeros(padded_shape, np.uint32),
            np.zeros(cube, np.float32) if probabilities else None,
            np.zeros(cube, np.float32) if uncertainties else None,
        ]

        with tqdm(total=len(tiles), unit="tile", disable=not progress_bar) as progress:
            for first in range(0, len(tiles), batch_size):
                batch = tiles[first : first + batch_size]
                images = np.zeros((batch_size, *tile_shape, 1), np.float32)
                for index, tile in enumerate(batch):
                    rows = slice(tile.top, tile.top + tile_shape[0])
                    columns = slice(tile.left, tile.left + tile_shape[1])
                    images[index, ..., 0] = padded[rows, columns]
                for plane, values in zip(planes, evaluate(images), strict=True):
                    if plane is None:
                        continue
                    values = np.asarray(values)
                    for index, tile in enumerate(batch):
                        plane[..., *tile.keep] = values[index][..., *tile.inner]
                progress.update(len(batch))

        rows, columns = (slice(size) for size in image.shape)
        return EngineOutput(
            *(None if plane is None else plane[..., rows, columns] for plane in planes)
        )
