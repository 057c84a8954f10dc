"""
What a network makes of the whole-frame view of an exposure.

A second U-Net, on blocks of 8 by 8 pixels, sees far: its features join the first one
where that has pixels of the same size. And small networks look along columns and
rows, in segments of 64 pixels, for what is too faint to be seen in any small part.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

__all__ = ["FrameContext", "frame_features", "line_features", "spread_segments"]

# Pixels of a segment, see `maximask_astro.background`.
_SEGMENT = 64


class FrameContext(NamedTuple):
    """
    What an image is told of the frame that it is a part of.

    Parameters
    ----------
    features : object
        A map of the frame's features, an eighth as high and wide as the image.

    columns : array
        Features of segments of columns, shape (..., segments, width, features): the
        first segment is that of the image's first row.

    rows : array
        The same of rows, shape (..., height, segments, features).

    offset : array
        Of two integers: rows and columns of the image's first pixel within those
        segments.
    """

    features: Any
    columns: Any
    rows: Any
    offset: Any


def frame_features(graph, blocks, *, channels, features):
    """
    Apply the network of the blocks.

    Parameters
    ----------
    graph : object
        How to compute: a ``KerasGraph``, or another with the same operations.

    blocks : object
        What the graph takes for maps: the view's blocks.

    channels : tuple of int
        Channels at 1/8, 1/16, ... of the full resolution; one level each.

    features : int
        Channels of the result.

    Returns
    -------
    features : object
        Another map, of the size of ``blocks``.
    """
    conv, x, skips = graph.conv, blocks, []
    for level, filters in enumerate(channels, start=1):
        if level > 1:
            # The mean of what is faint and wide, the maximum of what is narrow.
            x = graph.mixed_pool(x)
        x = conv(x, f"frame_down{level}a", filters)
        x = conv(x, f"frame_down{level}b", filters)
        skips.append(x)
    for level in range(len(channels) - 1, 0, -1):
        x = conv(x, f"frame_narrow{level}", channels[level - 1], 1)
        x = graph.upsample(x, f"frame_up{level}")
        x = graph.add(x, skips[level - 1])
        x = conv(x, f"frame_up{level}a", channels[level - 1])
    return conv(x, "frame_features", features, 1)


def line_features(graph, lines, *, channels, features):
    """
    Apply the network of segments of columns, or of rows.

    Parameters
    ----------
    graph : object
        How to compute: a ``KerasGraph``, or another with the same operations.

    lines : object
        What the graph takes for maps: the view's columns or rows.

    channels : tuple of int
        Channels of its layers.

    features : int
        Channels of the result.

    Returns
    -------
    features : object
        Another map, of the size of ``lines``.
    """
    x = lines
    for number, filters in enumerate(channels, start=1):
        x = graph.conv(x, f"line{number}", filters)
    return graph.conv(x, "line_features", features, 1)


def spread_segments(values, axis, offset, size):
    """
    Give each pixel what its segment has.

    Parameters
    ----------
    values : array
        An entry a segment along an axis.

    axis : int
        Which one, at least 0.

    offset : int or array
        Place of the first pixel in the first segment.

    size : int
        Number of pixels.

    Returns
    -------
    spread : array
        ``size`` entries along the axis.
    """
    shape = list(values.shape)
    values = jnp.expand_dims(values, axis + 1)
    repeated = [*shape[: axis + 1], _SEGMENT, *shape[axis + 1 :]]
    values = jnp.broadcast_to(values, repeated)
    shape[axis] *= _SEGMENT
    return lax.dynamic_slice_in_dim(values.reshape(shape), offset, size, axis)
