"""What a network keeps from some rows of an image for the next."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

__all__ = ["Kept", "Rows"]


@dataclass(frozen=True)
class Rows:
    """
    Some rows of a map.

    Parameters
    ----------
    values : array
        Shape (rows, width, channels).

    scale : int
        Rows of the image to one of these.

    late : int
        So many rows before those that would belong to the image's new rows.

    zero : bool
        Whether rows that are not in the image are zero.
    """

    values: Any
    scale: int
    late: int
    zero: bool


class Kept:
    """
    What operations keep from one time to the next, in their order.

    Each keeps a queue of arrays, of which the first leaves when one more comes. Only
    the first two are looked at, so that long waits copy nothing.

    Parameters
    ----------
    queues : list of tuple of array or None
        The first, and where it is needed the second, of each queue; None at the
        first time, when all are zero.
    """

    def __init__(self, queues):
        self._queues = None if queues is None else iter(queues)
        # What comes into each queue, and how many it holds.
        self.new, self.lengths = [], []

    def _take(self, shape, dtype, length):
        """Look at a queue of so many arrays; `new` must get one for it."""
        self.lengths.append(length)
        if self._queues is None:
            return (jnp.zeros(shape, dtype),) * min(length, 2)
        return next(self._queues)

    def before(self, values, number):
        """Put the last rows of before in front, and keep those of now."""
        (kept,) = self._take((number, *values.shape[1:]), values.dtype, 1)
        joined = jnp.concatenate([kept, values])
        self.new.append(joined[len(joined) - number :])
        return joined

    def delayed(self, values, number):
        """Give as many rows, of so many rows before."""
        times, rest = divmod(number, len(values))
        if not times:
            return self.before(values, rest)[: len(values)]
        length = times + bool(rest)
        first, *second = self._take(values.shape, values.dtype, length)
        self.new.append(values)
        if not rest:
            return first
        return jnp.concatenate([first[len(values) - rest :], second[0][:-rest]])
