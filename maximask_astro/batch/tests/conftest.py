"""A masker and a classifier that many tests share."""

import pytest


@pytest.fixture(scope="session")
def masker(tiny_model):
    """The stand-in network in small blocks, so that it is compiled only once."""
    from maximask_astro import ContaminantMasker

    return ContaminantMasker(tiny_model, tiling="original")


@pytest.fixture(scope="session")
def classifier(tiny_tracking):
    """The stand-in network with everything else by default."""
    from maximask_astro import TrackingClassifier

    return TrackingClassifier(tiny_tracking)
