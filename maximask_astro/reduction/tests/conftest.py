"""A masker that the tests of the steps share."""

import pytest


@pytest.fixture(scope="session")
def masker(tiny_model):
    """The stand-in network in small blocks."""
    from maximask_astro import ContaminantMasker

    return ContaminantMasker(tiny_model, tiling="original", keep_probabilities=False)
