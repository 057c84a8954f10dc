"""Where tiles are evaluated: one device or several, one batch after another."""

import threading
from collections import deque
from contextlib import contextmanager, nullcontext
from itertools import count

__all__ = ["AHEAD", "Devices", "next_device", "turn"]

# Tiles at a time on each device, and batches under way while results are awaited.
_ON_CPU, _ELSEWHERE = 1, 8
AHEAD = 2

# On a CPU one evaluation uses all cores, nearly, and others that take rows what is
# left. Two that take tiles would need as much memory again, now and then, for little.
_ROWS, _TILES = threading.BoundedSemaphore(3), threading.BoundedSemaphore(1)

# Images that went to a device as a whole.
_NUMBERS = count()

# What was evaluated before, and so is compiled.
_COMPILED, _COMPILING = set(), threading.Lock()


@contextmanager
def turn(kind, *, tiles=False):
    """
    Wait until it is one's turn to compute.

    Parameters
    ----------
    kind : hashable
        What is evaluated, with its shapes. The first of a kind is alone, so that it
        is compiled only once.

    tiles : bool, optional
        Whether it takes tiles as a whole, not rows.

    Yields
    ------
    waited_for : bool
        Whether others wait, so that the results must be there in the end.
    """
    import jax

    on_cpu = jax.default_backend() == "cpu"
    turns = _TILES if tiles else _ROWS
    with turns if on_cpu else nullcontext():
        if kind in _COMPILED:
            yield on_cpu
            return
        with _COMPILING:
            yield on_cpu
            _COMPILED.add(kind)


def next_device():
    """
    Choose a device for an image that is evaluated on one.

    May be called by several threads at once.

    Returns
    -------
    device : `jax.Device` or None
        Those of this process in turn; None where JAX has no choice.
    """
    import jax

    devices = jax.local_devices()
    if len(devices) == 1 or jax.config.jax_default_device is not None:
        return None
    return devices[next(_NUMBERS) % len(devices)]


class Devices:
    """
    The devices that JAX would use, all of them.

    Parameters
    ----------
    batch_size : int or None
        Tiles wanted at a time; None for one on each CPU device, or 8 on each other
        device.

    n_tiles : int
        How many tiles there are: batches are no larger.
    """

    def __init__(self, batch_size, n_tiles):
        import jax

        chosen = jax.config.jax_default_device
        self._devices = jax.local_devices() if chosen is None else [chosen]
        number = len(self._devices)
        each = _ON_CPU if jax.default_backend() == "cpu" else _ELSEWHERE
        wanted = min(batch_size or each * number, n_tiles)
        # Every device gets as many.
        self.batch_size = -(-wanted // number) * number

    def _put(self, tree, *axes):
        import jax
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        if len(self._devices) == 1:
            return tree
        mesh = Mesh(self._devices, ("tiles",))
        return jax.device_put(tree, NamedSharding(mesh, PartitionSpec(*axes)))

    def everywhere(self, tree):
        """
        Put arrays on every device.

        Parameters
        ----------
        tree : object
            Arrays, in lists and dicts.

        Returns
        -------
        tree : object
            The same on the devices.
        """
        return self._put(tree)

    def shared(self, tree):
        """
        Share arrays out to the devices, along their first axis.

        Parameters
        ----------
        tree : object
            Arrays with as many entries as a batch has tiles.

        Returns
        -------
        tree : object
            The same on the devices.
        """
        return self._put(tree, "tiles")

    def work(self, kind, function, batches):
        """
        Evaluate batches, and take the next while one is under way.

        Parameters
        ----------
        kind : hashable
            What is evaluated, see `turn`.

        function : callable
            From ``batch.arrays``, on the devices, to a tuple of arrays or None.

        batches : iterable
            Of objects with ``arrays``, a dict of NumPy arrays that are shared out,
            with ``'images'``, and ``common``, one of such that every device gets.

        Yields
        ------
        batch, results : object, list of `~numpy.ndarray` or None
            In the order of the batches.
        """
        import numpy as np

        def start(batch):
            return batch, function(
                **self.shared(batch.arrays), **self.everywhere(batch.common)
            )

        def finish(batch, results):
            return batch, [None if r is None else np.asarray(r) for r in results]

        pending = deque()
        for batch in batches:
            with turn(kind, tiles=True) as waited_for:
                started = start(batch)
                if waited_for:
                    started = finish(*started)
            pending.append(started)
            while len(pending) > (0 if waited_for else AHEAD):
                yield finish(*pending.popleft())
        while pending:
            yield finish(*pending.popleft())
