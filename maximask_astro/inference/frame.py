"""What a network makes of the whole-frame view, before it sees the image."""

import threading
from functools import lru_cache, partial

import numpy as np

from maximask_astro.background import BLOCK, SEGMENT
from maximask_astro.inference.fitting import weights_that_fit
from maximask_astro.inference.tiling import usual_size
from maximask_astro.utils.compiling import compiled

__all__ = ["Frame", "has_view", "look_at_frame"]

# Blocks, or segments, that are taken at a time, more or less.
_AT_A_TIME = 1 << 14

# Not the same object twice.
_ONE_BY_ONE = threading.Lock()


def has_view(model):
    """
    Whether a model takes the whole-frame view.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model.

    Returns
    -------
    has : bool
        Whether it does.
    """
    return bool(model.card.options.get("frame"))


class Frame:
    """
    What a network knows of a frame, for each part of it.

    Parameters
    ----------
    features : `~numpy.ndarray`
        float16, of blocks, shape (rows, columns, features).

    columns : `~numpy.ndarray`
        float16, of segments of columns, shape (segments, width, features).

    rows : `~numpy.ndarray`
        float16, of segments of rows, shape (height, segments, features).
    """

    def __init__(self, features, columns, rows):
        self.features, self.columns, self.rows = features, columns, rows

    def part(self, top, left, height, width, *, features_top=None):
        """
        Tell about a part of the frame, which may reach beyond it.

        Parameters
        ----------
        top, left : int
            First row and column; the latter a multiple of 8.

        height, width : int
            Size, multiples of 8.

        features_top : int, optional
            First row for the features; a multiple of 8, by default ``top``.

        Returns
        -------
        context : dict of str to `~numpy.ndarray`
            Fields of `~maximask_astro.networks.FrameContext`. Beyond the frame is
            what is at its edge.
        """
        features_top = top if features_top is None else features_top
        segments = [
            start // SEGMENT + np.arange(size // SEGMENT + 2)
            for start, size in ((top, height), (left, width))
        ]
        pixels = [start + np.arange(n) for start, n in ((top, height), (left, width))]
        blocks = [
            start // BLOCK + np.arange(n // BLOCK)
            for start, n in ((features_top, height), (left, width))
        ]
        return {
            "features": _taken(self.features, *blocks),
            "columns": _taken(self.columns, segments[0], pixels[1]),
            "rows": _taken(self.rows, pixels[0], segments[1]),
            "offset": np.array([top % SEGMENT, left % SEGMENT], np.int32),
        }


def _taken(values, rows, columns):
    """Entries of an array, those at its edge instead of those beyond."""
    for axis, places in enumerate((rows, columns)):
        size = values.shape[axis]
        if places[0] >= 0 and places[-1] < size:
            values = values[(slice(None),) * axis + (slice(places[0], places[-1] + 1),)]
        else:
            values = values.take(np.clip(places, 0, size - 1), axis=axis)
    return values.astype(np.float32)


def look_at_frame(model, view):
    """
    Apply the networks of the whole-frame view.

    Parameters
    ----------
    model : `~maximask_astro.weights.LoadedModel`
        The model, see `has_view`.

    view : `~maximask_astro.background.FrameView`
        The view.

    Returns
    -------
    frame : `Frame`
        What the network knows of the frame.
    """
    blocks, columns, rows = (
        _stream(model, number, maps)
        for number, maps in ((0, view.blocks), (1, view.columns), (1, view.rows))
    )
    return Frame(blocks, columns, rows.swapaxes(0, 1))


@lru_cache(maxsize=16)
def _compiled(model, number, rows, width, channels):
    """A jitted step of one of the networks, for maps of a width."""
    from maximask_astro.networks import RowNetwork, frame_functions

    function = frame_functions(model.card.architecture, model.card.options)[number]
    with weights_that_fit(model):
        network = RowNetwork(function, model.weights, rows, width, channels)
    return network, compiled(partial(network.step, model.weights))


def _stream(model, number, maps):
    """Evaluate a network on maps, some rows at a time, in half precision."""
    height, width, channels = maps.shape
    levels = 1 if number else len(model.card.options["frame"])
    stride = 2 ** (levels - 1)
    # Few widths, each of which is compiled for itself.
    wide = usual_size(width, stride)
    tall = -(-height // stride) * stride
    rows = max(_AT_A_TIME // wide // stride, 1) * stride
    with _ONE_BY_ONE:
        network, step = _compiled(model, number, rows, wide, channels)
    padded = np.zeros((rows, wide, channels), np.float32)
    result = np.empty((height, width, network.n_channels), np.float16)
    state = network.first_state()
    for start in range(0, tall + network.late, rows):
        part = maps[start : start + rows]
        padded[: len(part), :width] = part
        padded[len(part) :] = 0.0
        found, new = step(network.before_step(state), padded, start, tall)
        state = network.after_step(state, new)
        top = start - network.late
        keep = slice(max(top, 0), min(top + rows, height))
        if keep.stop > keep.start:
            # The largest number of half precision is far from what occurs.
            result[keep] = np.asarray(found)[keep.start - top : keep.stop - top, :width]
    return result
