"""Stand-ins for the networks that judge how a telescope tracked."""

from dataclasses import replace

import numpy as np

from maximask_astro.models import (
    TRACKING_OUTPUTS,
    build_maxitrack,
    build_tracking_network,
)
from maximask_astro.tests.helpers import random_weights
from maximask_astro.weights import (
    LoadedModel,
    packaged_card,
    save_model,
    weights_digest,
)

_TRACKING = {"n_stars": 4, "channels": [4, 6], "polar": [6, 8], "n_units": 5}
_MAXITRACK = {"size": 48, "channels": [2], "n_units": 4}


def _weights(build, options, seed):
    network = build(**options, kernel_initializer="zeros")
    return random_weights({v.path: tuple(v.shape) for v in network.weights}, seed)


def _model(weights, options, **card):
    """A model whose weights mean nothing."""
    card = replace(
        packaged_card("maxitrack-1.4.1"),
        description="Random weights, for tests.",
        source={},
        license="none",
        citation="none",
        options=options,
        weights_sha256=weights_digest(weights),
        known_limits=(),
        **card,
    )
    return LoadedModel(card, weights)


def tiny_tracking_model(*, usable=6.0):
    """
    Like the network of this package, for images of 32 pixels and more.

    It finds enough stars everywhere, or nowhere if ``usable`` is negative.
    """
    weights = _weights(build_tracking_network, _TRACKING, 1)
    output = TRACKING_OUTPUTS.index("usable")
    weights["outputs/kernel"][:, output] = 0
    weights["outputs/bias"][output] = usable
    return _model(
        weights,
        _TRACKING,
        name="tiny",
        architecture="tracking_network",
        classes=TRACKING_OUTPUTS,
        training_priors={"affected": 0.5},
        input={"block": 64, "stride": 8, "smallest": 32, "correlation": 0.2},
        normalization="global",
    )


def tiny_maxitrack():
    """Like the network of MaxiTrack, for blocks of 48 pixels."""
    return _model(
        _weights(build_maxitrack, _MAXITRACK, 2),
        _MAXITRACK,
        name="tiny-maxitrack",
        input={"block": 48, "stride": 48, "halo": 0},
    )


def save(model, directory):
    """Write a stand-in's directory; its test tensors are of no use."""
    save_model(directory, model.card, model.weights, {"rows": np.arange(3)})
    return directory
