"""
Run a network over an image of any size, tile by tile.

An image is read in bands of rows, as high as a tile, and its result comes in such
bands: neither has to fit into the memory. While one tile is evaluated, the next band
is read and prepared. What is done to a tile (normalize, network, prior, threshold,
bits) is one compiled function, and only what the caller asked for leaves the device.

The engine knows arrays, tiles and devices. What the channels mean, and where
the numbers below come from, is its caller's business.
"""

import threading
from functools import lru_cache, partial
from itertools import groupby

import numpy as np
from tqdm import tqdm

from maximask_astro.background import (
    Sky,
    ViewBuilder,
    array_reader,
    constant_surface,
)
from maximask_astro.inference.bands import SkyReader, join_bands, make_batches
from maximask_astro.inference.devices import Devices
from maximask_astro.inference.fitting import weights_that_fit
from maximask_astro.inference.frame import has_view, look_at_frame
from maximask_astro.inference.rivals import beaten_codes
from maximask_astro.inference.row_engine import band_height, has_rows, stream_rows
from maximask_astro.inference.symmetry import spread_over_symmetries
from maximask_astro.inference.tiling import plan_blocks, plan_tiles
from maximask_astro.inference.verdicts import judge, normalize, numbers_of

__all__ = ["TILINGS", "TileEngine"]

TILINGS = ("seamless", "original")

_DEFAULT_TILE_SIZE = 1536

# What a tile is evaluated for, for each of which all is compiled anew.
_STATIC = ("channels", "probabilities", "uncertainties", "rivals")


# Not the same object twice.
_ONE_BY_ONE = threading.Lock()


@lru_cache(maxsize=8)
def _compiled(model):
    """One jitted function a model, shared by all engines that use it."""
    import jax
    import jax.numpy as jnp

    from maximask_astro.networks import ArrayGraph, FrameContext, row_function

    network = row_function(model.card.architecture, model.card.options)

    @partial(jax.jit, static_argnames=_STATIC)
    def evaluate(
        weights,
        *,
        images,
        decisions,
        channels,
        probabilities,
        uncertainties,
        rivals,
        told,
        **sky,
    ):
        graph = ArrayGraph(weights)

        def logits_of(images, features=None):
            if features is None:
                return network(graph, images)
            return network(graph, images, FrameContext(features, None, None, None))

        images, of_lines = normalize(images, sky), 0.0
        maps = (images,)
        if told:
            maps = images, told["features"]
            of_lines = graph.line_logits(
                FrameContext(**told), "line_logits", images.shape[1:3]
            )
        if not uncertainties:
            logits = logits_of(*maps) + of_lines
            found = judge(logits, decisions, channels, probabilities, rivals)
            return *found, None

        # What the frame has around a tile stays as it is, and is turned with it.
        def posterior(logits):
            odds = (logits + of_lines)[..., jnp.array(channels)]
            return jax.nn.sigmoid(odds - decisions["log_factors"])

        values, spread = spread_over_symmetries(logits_of, maps, posterior)
        above = values > decisions["thresholds"]
        codes = jnp.where(above, decisions["codes"], 0).sum(-1, dtype=jnp.uint32)
        if rivals:
            odds = jax.scipy.special.logit(values)
            limits, bits = decisions["log_odds"], decisions["codes"]
            codes &= ~beaten_codes(odds, limits, bits, rivals)
        planes = jnp.moveaxis(values, -1, 1) if probabilities else None
        return codes, planes, jnp.moveaxis(spread, -1, 1)

    return evaluate


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
        Tiles evaluated at a time. The default is 1 on a CPU, 8 elsewhere, on each
        device if there are several.

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
        tile_shape : tuple of two int
            Size of every tile.

        tiles : list of `Tile`
            The tiles, row by row; they keep every pixel once.
        """
        numbers = self.model.card.input
        if self.tiling == "original":
            return plan_blocks(shape, numbers["block"])
        return plan_tiles(
            shape,
            tile_size=self.tile_size,
            halo=numbers["halo"],
            stride=numbers["stride"],
        )

    def _by_rows(self, tiles):
        """Whether an image is rather taken row by row than in several tiles."""
        return self.tiling == "seamless" and len(tiles) > 1 and has_rows(self.model)

    def run(self, image, decisions, **options):
        """
        Evaluate the network on an image that is normalized.

        Parameters
        ----------
        image : `~numpy.ndarray`
            Two-dimensional, without NaN.

        decisions : sequence of `ClassDecision`
            The channels wanted and how to judge them.

        **options
            As in `stream`.

        Returns
        -------
        result : `Band`
            All rows.
        """
        sky = Sky(constant_surface(0.0), constant_surface(1.0))
        read, shape = array_reader(image), np.shape(image)
        view = None
        if has_view(self.model):
            builder = ViewBuilder(shape)
            builder.add(0, *read(0, shape[0]))
            view = builder.finish(sky)
        bands = self.stream(read, shape, sky, decisions, view=view, **options)
        return join_bands(list(bands))

    def stream(
        self,
        read,
        shape,
        sky,
        decisions,
        *,
        view=None,
        probabilities=True,
        uncertainties=False,
        rivals=(),
        progress_bar=False,
    ):
        """
        Evaluate the network on an image that is read row by row.

        Parameters
        ----------
        read : callable
            From the first row and the one after the last to these rows, see
            `~maximask_astro.background.array_reader`; called in order, from
            another thread.

        shape : tuple of two int
            Size of the image.

        sky : `~maximask_astro.background.Sky`
            Its level and its noise.

        decisions : sequence of `ClassDecision`
            The channels wanted and how to judge them.

        view : `~maximask_astro.background.FrameView`, optional
            The image at a glance; a model with a whole-frame view needs it, see
            `~maximask_astro.inference.has_view`.

        probabilities, uncertainties : bool, optional
            Whether to return posterior probabilities, and their spread over
            the eight symmetries of the square (eight times the work). What the
            model knows of the whole frame is the same for all eight.

        rivals : tuple of tuple of two int, optional
            Pairs of decisions about classes that look alike: of two that are both
            taken, the likelier takes a pixel, see
            ``beaten_codes``.

        progress_bar : bool, optional
            Whether to show a progress bar over tiles.

        Yields
        ------
        band : `Band`
            The results, from the first rows to the last.
        """
        numbers = numbers_of(decisions)
        tile_shape, tiles = self.plan(shape)
        frame = look_at_frame(self.model, view) if has_view(self.model) else None
        if self._by_rows(tiles) and not uncertainties:
            rows = band_height(self.model, shape)
            yield from stream_rows(
                self.model,
                SkyReader(read, shape, sky, (rows, shape[1])),
                decisions,
                numbers,
                frame=frame,
                rows=rows,
                probabilities=probabilities,
                rivals=rivals,
                progress_bar=progress_bar,
            )
            return
        devices = Devices(self.batch_size, len(tiles))
        with _ONE_BY_ONE:
            function = _compiled(self.model)
        how = {
            "channels": tuple(d.channel for d in decisions),
            "probabilities": probabilities,
            "uncertainties": uncertainties,
            "rivals": rivals,
        }
        evaluate = partial(
            function,
            devices.everywhere(self.model.weights),
            decisions=devices.everywhere(numbers),
            **how,
        )
        kind = (id(function), devices.batch_size, tile_shape, *how.values())
        reader = SkyReader(read, shape, sky, tile_shape)
        rows = [list(group) for _, group in groupby(tiles, lambda tile: tile.top)]
        batches = make_batches(reader, rows, tile_shape, devices.batch_size, frame)
        with (
            weights_that_fit(self.model),
            tqdm(total=len(tiles), unit="tile", disable=not progress_bar) as progress,
        ):
            for batch, results in devices.work(kind, evaluate, batches):
                progress.update(len(batch.pairs))
                yield from batch.finish(results)
