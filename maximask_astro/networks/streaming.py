"""
Run a network on an image of any height, a few rows at a time.

Nothing is computed twice, and there are no seams.

Every operation takes the new rows of its input and gives as many rows of its output.
A convolution needs the row below the one that it computes, so its output is a row late,
and it keeps the last two rows of its input for the next time. Where maps come together,
the one that is less late waits in a queue. The result is that of one pass over the
whole image, as many rows late as the network sees below a pixel, and what is kept in
between does not depend on the image's height. What is beyond it is not computed.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from maximask_astro.networks.frame import spread_segments
from maximask_astro.networks.kernels import apply_kernel
from maximask_astro.networks.queues import Kept, Rows

__all__ = ["RowNetwork"]


class _RowGraph:
    """As `KerasGraph`, on rows; see there for the operations."""

    def __init__(self, weights, kept, start, height):
        self._weights, self._kept = weights, kept
        self.late_features = 0
        # First of the image's new rows, and the height of the image, by scale.
        self._places = {1: (jnp.asarray(start), jnp.asarray(height))}

    def _place(self, scale, late):
        """First of the rows of a map, and its height."""
        if scale not in self._places:
            self._places[scale] = tuple(
                lax.div(number, lax.full_like(number, scale))
                for number in self._places[1]
            )
        start, height = self._places[scale]
        return lax.sub(start, lax.full_like(start, late)), height

    # Here are functions of lax where those of NumPy would do: they are traced in half
    # the time, and this is a part of what every command takes to start.

    def _zeroed(self, x):
        """The same, zero where there is no image."""
        if x.zero:
            return x
        shape, (first, height) = x.values.shape, self._place(x.scale, x.late)
        rows = lax.add(lax.iota(first.dtype, shape[0]), lax.broadcast(first, shape[:1]))
        there = lax.bitwise_and(
            lax.ge(rows, lax.full_like(rows, 0)),
            lax.lt(rows, lax.broadcast(height, shape[:1])),
        )
        there = lax.broadcast_in_dim(there, shape, (0,))
        values = lax.select(there, x.values, lax.full_like(x.values, 0))
        return Rows(values, x.scale, x.late, True)

    def _is_there(self, number, scale, late):
        """Whether any of so many rows is in the image."""
        first, height = self._place(scale, late)
        last = lax.add(first, lax.full_like(first, number - 1))
        return lax.bitwise_and(
            lax.ge(last, lax.full_like(last, 0)), lax.lt(first, height)
        )

    def _wait(self, x, late):
        """The same, but so late."""
        more = late - x.late
        if not more:
            return x
        values = self._kept.delayed(x.values, more)
        return Rows(values, x.scale, late, x.zero)

    def _together(self, maps):
        late = max(x.late for x in maps)
        return [self._wait(x, late) for x in maps]

    def _even(self, x):
        """The same, late by an even number of rows."""
        return self._wait(x, x.late + x.late % 2)

    def arcsinh(self, x):
        return Rows(jnp.arcsinh(x.values), x.scale, x.late, x.zero)

    def conv(self, x, name, filters, size=3, activation="relu"):
        kernel, bias = (self._weights[f"{name}/{part}"] for part in ("kernel", "bias"))
        maps = x if isinstance(x, tuple) else (x,)
        if size == 1:
            values = [x.values for x in maps]
        else:
            values = [self._kept.before(self._zeroed(x).values, size - 1) for x in maps]
        values = jnp.concatenate(values, axis=-1)
        x = maps[0]
        late = x.late + size // 2
        there = self._is_there(len(x.values), x.scale, late)
        values = apply_kernel(values[None], kernel, above=False, there=there)[0]
        values = lax.add(values, lax.broadcast(bias, values.shape[:-1]))
        if activation == "relu":
            values = lax.max(values, lax.full_like(values, 0))
        return Rows(values, x.scale, late, False)

    def pool(self, x):
        upper, lower = _corners(self._even(x).values)
        values = jnp.maximum(jnp.maximum(*upper), jnp.maximum(*lower))
        return Rows(values, 2 * x.scale, (x.late + 1) // 2, False)

    def mixed_pool(self, x):
        (a, b), (c, d) = _corners(self._even(x).values)
        half = x.values.shape[-1] // 2
        largest = jnp.maximum(jnp.maximum(a, b), jnp.maximum(c, d))[..., :half]
        values = jnp.concatenate([largest, ((a + b + c + d) / 4)[..., half:]], axis=-1)
        return Rows(values, 2 * x.scale, (x.late + 1) // 2, False)

    def features_of(self, context, x):
        self.late_features = x.late
        # Those of rows that are as late; beyond the image they do not matter.
        return Rows(context.features, x.scale, x.late, False)

    def add_lines(self, logits, context, name):
        kernel, bias = (self._weights[f"{name}/{part}"] for part in ("kernel", "bias"))
        rows, width, _ = logits.values.shape
        of_columns, of_rows = (
            apply_kernel(values[None], kernel)[0] + bias
            for values in (context.columns, context.rows)
        )
        down = spread_segments(of_columns, 0, context.offset[0], rows)
        across = spread_segments(of_rows, 1, context.offset[1], width)
        values = logits.values + down + across
        return Rows(values, logits.scale, logits.late, False)

    def pool_with_positions(self, x):
        x = self._even(self._zeroed(x))
        corners = sum(_corners(x.values), ())
        values = jnp.maximum(
            jnp.maximum(corners[0], corners[1]), jnp.maximum(corners[2], corners[3])
        )
        # The first of several that are as large, as in `PoolWithPositions`.
        taken, positions = jnp.zeros(values.shape, bool), []
        for corner in corners[:3]:
            here = (corner == values) & ~taken
            taken = taken | here
            positions.append(here)
        positions.append(~taken)
        late = x.late // 2
        return Rows(values, 2 * x.scale, late, True), [
            Rows(where, 2 * x.scale, late, True) for where in positions
        ]

    def unpool(self, x, positions, before):
        x, *positions = self._together([x, *positions])
        places = [jnp.where(where.values, x.values, 0) for where in positions]
        pairs = [jnp.stack(places[i : i + 2], axis=2) for i in (0, 2)]
        height, width, channels = x.values.shape
        values = jnp.stack(pairs, axis=1).reshape(2 * height, 2 * width, channels)
        return Rows(values, x.scale // 2, 2 * x.late, x.zero)

    def upsample(self, x, name):
        height, width, channels = x.values.shape
        values = jnp.broadcast_to(
            x.values[:, None, :, None], (height, 2, width, 2, channels)
        )
        values = values.reshape(2 * height, 2 * width, channels)
        return Rows(values, x.scale // 2, 2 * x.late, x.zero)

    def fold(self, x):
        x = self._even(x)
        height, width, channels = x.values.shape
        values = x.values.reshape(height // 2, 2, width // 2, 2, channels)
        values = values.transpose(0, 2, 1, 3, 4)
        values = values.reshape(height // 2, width // 2, 4 * channels)
        return Rows(values, 2 * x.scale, x.late // 2, x.zero)

    def unfold(self, x):
        height, width, channels = x.values.shape
        channels //= 4
        values = x.values.reshape(height, width, 2, 2, channels)
        values = values.transpose(0, 2, 1, 3, 4)
        values = values.reshape(2 * height, 2 * width, channels)
        return Rows(values, x.scale // 2, 2 * x.late, x.zero)

    def add(self, first, second):
        first, second = self._together([first, second])
        zero = first.zero and second.zero
        return Rows(first.values + second.values, first.scale, first.late, zero)

    def concatenate(self, maps):
        maps = self._together(maps)
        if maps[0].scale == 1:
            # Left to the convolution, which puts together what each map and its rows
            # of before have: so nothing is copied twice.
            return tuple(maps)
        values = jnp.concatenate([x.values for x in maps], axis=-1)
        zero = all(x.zero for x in maps)
        return Rows(values, maps[0].scale, maps[0].late, zero)


def _corners(values):
    """The pixels of cells of 2 by 2: those above, those below."""
    height, width, channels = values.shape
    cells = values.reshape(height // 2, 2, width // 2, 2, channels)
    return tuple((cells[:, i, :, 0], cells[:, i, :, 1]) for i in (0, 1))


class RowNetwork:
    """
    A network that takes an image row by row.

    Parameters
    ----------
    function : callable
        The network, see `row_function`.

    weights : dict of str to array
        By path.

    rows, width : int
        How many rows it takes at a time, and how wide they are; multiples of the
        network's stride.

    channels : int, optional
        Of the image.

    context : tuple of array or `jax.ShapeDtypeStruct`, optional
        What its steps will be told of the frame, a
        `~maximask_astro.networks.FrameContext`: its shapes, that is.
    """

    def __init__(self, function, weights, rows, width, channels=1, context=None):
        self._function, self.rows, self.width = function, rows, width
        image = jax.ShapeDtypeStruct((rows, width, channels), jnp.float32)
        late, lengths = [], []

        def first(weights, image, context):
            output, kept, graph = self._run(weights, None, image, 0, rows, context)
            late.extend([output.late, graph.late_features])
            lengths.extend(kept.lengths)
            return output.values, kept.new

        output, new = jax.eval_shape(first, weights, image, context)
        self._queues = list(zip(new, lengths, strict=True))
        # Rows of the image by which the output is late, and rows of the frame's
        # features by which those are that a step takes.
        self.late, self.late_features = late
        self.n_channels = output.shape[-1]

    def _run(self, weights, queues, image, start, height, context):
        kept = Kept(queues)
        graph = _RowGraph(weights, kept, start, height)
        image = Rows(image, 1, 0, False)
        if context is None:
            output = self._function(graph, image)
        else:
            output = self._function(graph, image, context)
        return output, kept, graph

    def first_state(self):
        """
        Make what is kept before the first rows.

        Returns
        -------
        state : list of tuple of array
            Queues of zeros, see `before_step` and `after_step`.
        """
        return [
            tuple(np.zeros(new.shape, new.dtype) for _ in range(length))
            for new, length in self._queues
        ]

    def before_step(self, state):
        """
        Find what a step needs of what is kept.

        Parameters
        ----------
        state : list of tuple of array
            What is kept.

        Returns
        -------
        queues : list of tuple of array
            The first two arrays of each queue.
        """
        return [queue[:2] for queue in state]

    def after_step(self, state, new):
        """
        Put what a step made into what is kept.

        Parameters
        ----------
        state : list of tuple of array
            What was kept before it.

        new : list of array
            What it made.

        Returns
        -------
        state : list of tuple of array
            What is kept after it.
        """
        return [(*queue[1:], each) for queue, each in zip(state, new, strict=True)]

    def step(self, weights, queues, image, start, height, context=None):
        """
        Take the next rows.

        Parameters
        ----------
        weights : dict of str to array
            By path.

        queues : list of tuple of array
            From `before_step`.

        image : array
            Rows, shape (rows, width, channels); whatever is in those below the image
            does not matter.

        start : int or array
            Number of the first of them.

        height : int or array
            Height of the image, a multiple of the network's stride.

        context : `~maximask_astro.networks.FrameContext`, optional
            What the frame has, for a network that takes it: the features of
            rows that are ``late_features`` (of theirs) above the new ones, and the
            columns' and rows' of those that come out.

        Returns
        -------
        logits : array
            Shape (rows, width, channels): of rows that are ``late`` above those.

        new : list of array
            For `after_step`.
        """
        output, kept, _ = self._run(weights, queues, image, start, height, context)
        return output.values, kept.new
