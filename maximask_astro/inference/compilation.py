"""Keep compiled functions from one process to the next."""

import logging

from maximask_astro.weights import home_directory

__all__ = ["keep_compiled"]

log = logging.getLogger(__name__)

# What compiles faster, in seconds, is not kept.
_WORTHWHILE = 0.2


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
