"""Evaluate a network on large images row by row, without tiles."""

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np
from tqdm import tqdm

from maximask_astro.background import BLOCK
from maximask_astro.inference.bands import Band
from maximask_astro.inference.devices import AHEAD, next_device, turn
from maximask_astro.inference.fitting import weights_that_fit
from maximask_astro.inference.verdicts import judge, normalize
from maximask_astro.utils.compiling import compiled

__all__ = ["band_height", "has_rows", "stream_rows"]

# Pixels that are taken at a time, but never less than a stride of rows.
_PIXELS_ON_CPU, _PIXELS = 5 << 16, 1 << 23

# Not the same object twice.
_ONE_BY_ONE = threading.Lock()


def has_rows(model):
    """
    Whether a model can be evaluated row by row.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    Returns
    -------
    possible : bool
        Whether its architecture knows how.
    """
    return _function_of(model) is not None


def _function_of(model):
    from maximask_astro.networks import row_function

    return row_function(model.card.architecture, model.card.options)


def band_height(model, shape):
    """
    Choose how many rows are taken at a time.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    shape : tuple of two int
        Of the image in pixels.

    Returns
    -------
    rows : int
        A multiple of the network's stride.
    """
    import jax

    pixels = _PIXELS_ON_CPU if jax.default_backend() == "cpu" else _PIXELS
    stride, late = (model.card.input[name] for name in ("stride", "halo"))
    most = max(pixels // shape[1] // stride, 1)
    # Those that come late, too, in bands of which the last is as full as can be: few
    # heights, each of which is compiled for itself.
    total = shape[0] + late
    heights = [stride * number for number in range(most, most // 2, -1)]
    return min(heights, key=lambda rows: -(-total // rows) * rows)


@lru_cache(maxsize=8)
def _compiled(model, rows, width, told):
    """A jitted step for images of a width, shared by all that use the model."""
    from maximask_astro.networks import FrameContext, RowNetwork

    def context_of(arrays):
        return FrameContext(**arrays) if arrays else None

    context = context_of({name: np.zeros(*kind) for name, *kind in told})
    with weights_that_fit(model):
        network = RowNetwork(
            _function_of(model), model.weights, rows, width, context=context
        )

    # Nothing is donated: what is new would take the place of what is old, and XLA
    # would copy both.
    @partial(compiled, static_argnames=("channels", "probabilities", "rivals"))
    def step(
        queues,
        image,
        start,
        height,
        *,
        decisions,
        channels,
        probabilities,
        rivals,
        sky,
        told,
    ):
        image = normalize(image[None], sky)[0]
        logits, new = network.step(
            model.weights, queues, image, start, height, context_of(told)
        )
        found = judge(logits[None], decisions, channels, probabilities, rivals)
        return [None if part is None else part[0] for part in found], new

    return network, step


def stream_rows(
    model,
    reader,
    decisions,
    numbers,
    *,
    frame,
    rows,
    probabilities,
    rivals,
    progress_bar,
):
    """
    Evaluate a network on an image.

    Images go to the devices of the process in turn, each to one.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model, see `has_rows`.

    reader : `~maximask_astro.inference.bands.SkyReader`
        Reads the image; made for parts of ``rows`` times the width.

    decisions : sequence of `ClassDecision`
        The channels wanted.

    numbers : dict of str to `~numpy.ndarray`
        What the device must know of them.

    frame : `~maximask_astro.inference.frame.Frame` or None
        What the network knows of the whole image, if it has such a view.

    rows : int
        Rows taken at a time.

    probabilities : bool
        Whether to return posterior probabilities.

    rivals : tuple of tuple of two int
        Pairs of decisions about classes that look alike.

    progress_bar : bool
        Whether to show a progress bar over rows.

    Yields
    ------
    band : `Band`
        The results, from the first rows to the last.
    """
    import jax

    height, width = reader.shape
    stride = model.card.input["stride"]
    tall, wide = (-(-size // stride) * stride for size in reader.shape)

    def tell(start):
        """What the frame has for a step that begins with a row."""
        if frame is None:
            return {}
        return frame.part(
            start - network.late,
            0,
            rows,
            wide,
            features_top=start - BLOCK * network.late_features,
        )

    shapes = {} if frame is None else frame.part(0, 0, rows, wide)
    shapes = tuple((name, a.shape, a.dtype.str) for name, a in shapes.items())
    with _ONE_BY_ONE:
        network, step = _compiled(model, rows, wide, shapes)
    how = {
        "channels": tuple(d.channel for d in decisions),
        "probabilities": probabilities,
        "rivals": rivals,
    }
    device = next_device()
    kind = (id(network), device, *how.values())
    step = partial(step, decisions=numbers, **how)

    def prepare(start):
        told = tell(start)
        if start >= tall:  # only what is late is still to come
            start, image, invalid = 0, np.zeros((rows, wide), np.float32), None
        else:
            image, invalid = reader.rows(start, rows, wide)
        sky = {
            **{k: v[None] for k, v in reader.arrays(start, 0, rows, wide).items()},
            **reader.limits,
        }
        # Moved here, so that steps need not wait for it.
        return *jax.device_put((image, sky, told), device), invalid

    def finish(start, computed):
        found = computed.result()
        top = start - network.late
        keep = slice(max(top, 0), min(top + rows, height))
        if keep.stop <= keep.start:
            return
        part = slice(keep.start - top, keep.stop - top)
        # Copies, which may be changed and do not keep the rest.
        codes, planes = (
            None if f is None else np.asarray(f)[..., part, :width].copy()
            for f in found
        )
        progress.update(keep.stop - keep.start)
        yield Band(keep, codes, known.take(keep), planes)

    starts = range(0, tall + network.late, rows)
    state, known, pending = network.first_state(), _Invalid(width), deque()

    def compute(start, image, sky, told):
        nonlocal state
        with turn(kind) as waited_for:
            queues = network.before_step(state)
            found, new = step(queues, image, start, tall, sky=sky, told=told)
            state = network.after_step(state, new)
            return jax.block_until_ready(found) if waited_for else found

    # While some rows are computed, those before are handed out and those after are
    # prepared.
    with (
        ThreadPoolExecutor(1) as reading,
        ThreadPoolExecutor(1) as computing,
        tqdm(total=height, unit="row", disable=not progress_bar) as progress,
    ):
        coming = reading.submit(prepare, starts[0])
        for start in starts:
            *arrays, invalid = coming.result()
            if start + rows in starts:
                coming = reading.submit(prepare, start + rows)
            known.add(start, min(start + rows, height), invalid)
            pending.append((start, computing.submit(compute, start, *arrays)))
            while len(pending) > AHEAD:
                yield from finish(*pending.popleft())
        while pending:
            yield from finish(*pending.popleft())


class _Invalid:
    """Which pixels are invalid, until the results of their rows are there."""

    def __init__(self, width):
        self._width, self._parts = width, []

    def add(self, start, stop, invalid):
        if stop > start:
            self._parts.append((start, stop, invalid))

    def take(self, rows):
        """Those of some rows; what is before them is forgotten."""
        self._parts = [part for part in self._parts if part[1] > rows.start]
        if all(part[2] is None for part in self._parts if part[0] < rows.stop):
            return None
        taken = np.zeros((rows.stop - rows.start, self._width), bool)
        for start, stop, invalid in self._parts:
            first, last = max(start, rows.start), min(stop, rows.stop)
            if invalid is not None and first < last:
                taken[first - rows.start : last - rows.start] = invalid[
                    first - start : last - start
                ]
        return taken
