"""The commands ``maximask`` and ``maximask-astro``."""
