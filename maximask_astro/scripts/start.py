"""Where the commands start: as fast as can be, and they end as fast."""

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module

__all__ = ["maximask", "maximask_astro", "maxitrack", "without_thread_caches"]

# The first glibc that joins what is left beside aligned blocks.
_MENDED = (2, 39)
_TUNABLES, _NO_CACHES = "GLIBC_TUNABLES", "glibc.malloc.tcache_count"


def without_thread_caches():
    """
    Start the process again if its memory would fall to pieces.

    Before version 2.39, glibc hides the few bytes before and after an aligned block
    in caches of threads (its bug 30723). The block, once it is free, is then too small
    for the next that is as large, so memory grows, by what a network needs at once,
    again and again. Only the environment can do without these caches, and only from
    the start. Nothing is done where the environment says how large they are.
    """
    try:
        _, version = os.confstr("CS_GNU_LIBC_VERSION").split()
        old = tuple(map(int, version.split("."))) < _MENDED
    except (AttributeError, OSError, ValueError):  # not glibc
        return
    tunables = os.environ.get(_TUNABLES, "")
    if not old or _NO_CACHES in tunables or not sys.executable:
        return
    tunables = [*filter(None, tunables.split(":")), f"{_NO_CACHES}=0"]
    os.environ[_TUNABLES] = ":".join(tunables)
    with suppress(OSError):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _start(name):
    without_thread_caches()
    # What is imported stays: to look through it for garbage takes a tenth of a second
    # or two, and to take it apart in the end a quarter.
    gc.disable()
    command = import_module(f"maximask_astro.scripts.{name}").main
    gc.freeze()
    gc.enable()
    code = command()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def maximask():
    """Run ``maximask`` and end the process."""
    _start("maximask")


def maximask_astro():
    """Run ``maximask-astro`` and end the process."""
    _start("main")


def maxitrack():
    """Run ``maxitrack`` and end the process."""
    _start("maxitrack")
