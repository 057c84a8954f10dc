"""Example exposures, made on the fly."""

from maximask_astro.datasets.exposure import make_example_exposure

__all__ = ["make_example_exposure"]
