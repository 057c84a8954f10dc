"""Settings of a whole process that make evaluating networks fast."""

import ctypes
import logging

from maximask_astro.weights import home_directory

__all__ = ["keep_compiled", "keep_memory"]

log = logging.getLogger(__name__)

# What compiles faster, in seconds, is not kept.
_WORTHWHILE = 0.2

# Parameters of mallopt, and what they are set to.
_MEMORY = {
    -8: 1,  # M_ARENA_MAX: arenas of threads could not hold as much
    -3: 1 << 30,  # M_MMAP_THRESHOLD
    -1: (1 << 31) - 1,  # M_TRIM_THRESHOLD
}


def keep_compiled():
    """
    Keep what JAX compiles in a directory, and look there first.

    The directory is ``compiled`` in the package's home (see
    `maximask_astro.weights.home_directory`). This is for commands and workers: it is
    a setting of the whole process. Nothing is changed if a directory is chosen
    already (``JAX_COMPILATION_CACHE_DIR``).
    """
    import jax

    if jax.config.jax_compilation_cache_dir is not None:
        return
    directory = home_directory() / "compiled"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.info("Nothing compiled is kept in %s: %s.", directory, error.strerror)
        return
    jax.config.update("jax_compilation_cache_dir", str(directory))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTHWHILE)


def keep_memory():
    """
    Keep memory that is freed for the arrays that follow.

    The C library returns large blocks to the system, which then has to clear every
    page of the next: up to a third of the time that a network takes. And on a CPU, JAX
    is to free what a network needed before it hands out the results, not somewhat
    later: otherwise, now and then, the next would need as much again. This is for
    commands and workers: these are settings of the whole process, which keeps the most
    memory that it ever used. It works best before JAX is used; nothing is kept where
    the C library is not glibc.

    A glibc before 2.39 does not join all that is free (its bug 30723), so that memory
    may grow in steps by a third or so. Commands therefore set the environment variable
    ``GLIBC_TUNABLES`` to ``glibc.malloc.tcache_count=0``, which has to be set before
    the process starts.
    """
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option, value in _MEMORY.items():
        set_option(option, value)
