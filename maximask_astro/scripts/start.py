"""Where the commands start: as fast as can be, and they end as fast."""

import gc
import os
import sys
from importlib import import_module

__all__ = ["maximask", "maximask_astro", "maxitrack"]


def _start(name):
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
