"""Work through files in other processes, here or on other machines."""

import os
from contextlib import contextmanager
from itertools import islice

from maximask_astro.utils.errors import InputError

__all__ = ["cluster_of", "map_sources"]

# Files that are handed to each worker ahead, so that none waits for the next.
_AHEAD = 3

# How many threads XLA may start.
_THREADS = "NPROC"


@contextmanager
def cluster_of(jobs, scheduler):
    """
    Connect to the processes that are to work.

    Parameters
    ----------
    jobs : int
        How many processes to start on this machine, unless there is a scheduler.

    scheduler : str or None
        Address of a scheduler of ``dask.distributed``.

    Yields
    ------
    client : `distributed.Client`
        The connection; it is closed in the end, and so are processes that were
        started.

    Raises
    ------
    InputError
        There is no such scheduler, or ``dask.distributed`` is not installed.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError(
            "Several processes need dask.distributed; install maximask_astro[dask]."
        ) from error
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise InputError(
                f"There is no Dask scheduler at {scheduler}; give an address such as "
                "tcp://host:8786."
            ) from error
        with client:
            yield client
        return
    # Each process its share of the processors: XLA takes all that it sees.
    threads = max((os.cpu_count() or 1) // jobs, 1)
    environment = {
        **dask.config.get("distributed.nanny.pre-spawn-environ", {}),
        _THREADS: str(threads),
    }
    before = os.environ.get(_THREADS)
    try:
        with (
            dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
            distributed.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address=":0",
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
    finally:
        # Dask leaves in this process what it sets for those that it starts.
        os.environ.pop(_THREADS, None)
        if before is not None:
            os.environ[_THREADS] = before


def _work_there(source, work):
    """In a worker: what is compiled serves the next worker, too."""
    from maximask_astro.inference import keep_compiled, keep_memory

    keep_memory()
    keep_compiled()
    return work(source)


def map_sources(client, work, items):
    """
    Work on sources, each in some worker.

    The function is sent once to each worker. If a worker is lost, others do its work.

    Parameters
    ----------
    client : `distributed.Client`
        The connection to the workers.

    work : callable
        From a source to a result. It may run again for the same source.

    items : iterable of (int, `Source`)
        Sources with their numbers; taken as workers become free. None asks to wait
        until nothing is under way.

    Yields
    ------
    index, result : int, object
        As they come; an exception if the work itself failed, or if every worker that
        tried was lost.
    """
    from distributed import as_completed

    shared = client.scatter(work, broadcast=True, hash=False)
    coming, numbers, waiting = iter(items), {}, False

    def submit(number):
        nonlocal waiting
        if waiting:
            if numbers:
                return
            waiting, number = False, ahead
        for item in islice(coming, number):
            if item is None:
                if numbers:
                    waiting = True
                    return
                continue
            index, source = item
            future = client.submit(_work_there, source, shared, pure=False)
            numbers[future.key] = index
            yield future

    ahead = _AHEAD * max(len(client.scheduler_info()["workers"]), 1)
    done = as_completed(submit(ahead))
    for future in done:
        error = future.exception()
        yield numbers.pop(future.key), error or future.result()
        done.update(submit(1))
