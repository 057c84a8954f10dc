"""Work through files in threads: one is computed while another is read or written."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

__all__ = ["StoppedError", "map_in_threads", "stop_if_asked"]

# Files at a time.
_THREADS = 3

_LOCAL = threading.local()


class StoppedError(Exception):
    """Work on a file is given up, since all work is."""


def stop_if_asked():
    """
    Give up the work on a file if the others were given up.

    Raises
    ------
    StoppedError
        They were: whatever is under way is to be cleaned up.
    """
    stop = getattr(_LOCAL, "stop", None)
    if stop is not None and stop.is_set():
        raise StoppedError("interrupted")


def map_in_threads(work, items):
    """
    Work on sources, a few at a time.

    Parameters
    ----------
    work : callable
        From a source to a result; it may call `stop_if_asked`.

    items : iterable of (int, `Source`)
        Sources with their numbers; taken in this thread, as others become free. None
        asks to wait until nothing is under way.

    Yields
    ------
    index, result : int, object
        As they come. What work raises is raised here, and ends all.
    """
    stop = threading.Event()

    def start(source):
        _LOCAL.stop = stop
        return work(source)

    numbers = {}

    def done(at_most):
        """Wait until no more than so many are under way."""
        while len(numbers) > at_most:
            for future in wait(numbers, return_when=FIRST_COMPLETED).done:
                yield numbers.pop(future), future.result()

    with ThreadPoolExecutor(_THREADS) as executor:
        try:
            for item in items:
                if item is None:
                    yield from done(0)
                    continue
                index, source = item
                numbers[executor.submit(start, source)] = index
                yield from done(_THREADS - 1)
            yield from done(0)
        finally:
            # Those that are under way still, if this ends before its time.
            stop.set()
