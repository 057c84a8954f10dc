"""What a step of training a tracking network computes."""

import numpy as np

from maximask_astro.training.gradients import apply_gradients, make_gradient

__all__ = ["FEWEST_STARS", "compile_tracking_update", "tracking_targets"]

# So many stars whose shape is seen can be judged; with two, nobody can be sure.
FEWEST_STARS = 3

# Share of each output in the loss.
_SHARES = {
    "affected": 2.0,
    "defocused": 0.5,
    "usable": 0.5,
    "length": 1.0,
    "angle": 1.0,
}

# What an exposure with too few stars counts for: how little it says.
_FEW = 0.25

# Blurs shorter than this, in pixels, are alike.
_SHORTEST = 0.5


def tracking_targets(truth):
    """
    Say what the outputs of the network should be, and where that counts.

    Parameters
    ----------
    truth : `~maximask_astro.simulation.TrackingTruth`
        Of simulated exposures.

    Returns
    -------
    targets, weights : dict of str to array
        By output: ``affected``, ``defocused``, ``usable`` (0 or 1), ``length``
        (natural logarithm of pixels) and ``angle`` (shape (number, 2): cosine and
        sine of twice the angle). Weights are 0 where nothing is to be learned:
        without stars, where a blur may or may not show, and for the direction of
        one that does not. The length of one that does not show is learned too:
        that it is short. For ``affected``, exposures with too few stars have a
        weight less than 1: the network learns how little they say; they are not
        to be scored.
    """
    import jax.numpy as jnp

    usable = truth.n_stars >= FEWEST_STARS
    clear = truth.affected != 1
    targets = {
        "affected": truth.affected == 2,
        "defocused": truth.defocused,
        "usable": usable,
        "length": jnp.log(jnp.maximum(truth.length, _SHORTEST)),
        "angle": jnp.stack([jnp.cos(2 * truth.angle), jnp.sin(2 * truth.angle)], -1),
    }
    weights = {
        "affected": jnp.where(usable, 1.0, _FEW) * clear,
        "defocused": usable,
        "usable": truth.n_stars != FEWEST_STARS - 1,
        "length": usable,
        "angle": usable & (truth.affected == 2),
    }
    return targets, {name: w.astype(jnp.float32) for name, w in weights.items()}


def _loss(outputs, targets, weights):
    """Sum over exposures."""
    import jax
    import jax.numpy as jnp

    found = {
        name: jax.nn.softplus(jnp.where(targets[name], -logit, logit))
        for name, logit in zip(
            ("affected", "defocused", "usable"), outputs[:, :3].T, strict=True
        )
    }
    error = jnp.abs(outputs[:, 3] - targets["length"])
    found["length"] = jnp.where(error < 0.5, error**2, error - 0.25)
    found["angle"] = ((outputs[:, 4:] - targets["angle"]) ** 2).sum(-1)
    return sum(
        share * (weights[name] * found[name]).sum() for name, share in _SHARES.items()
    )


def compile_tracking_update(recipe, network, optimizer):
    """
    Compile a step of training.

    Parameters
    ----------
    recipe : `Recipe`
        The recipe.

    network : `keras.Model`
        Its network.

    optimizer : `keras.Optimizer`
        Its optimizer.

    Returns
    -------
    update : callable
        From (groups, images, truth) to (groups, loss): raw exposures, and what they
        are like.
    """
    import jax
    import jax.numpy as jnp

    def loss_of(weights, batch, number):
        images, targets, importance = batch
        outputs, _ = network.stateless_call(weights, [], images, training=True)
        return _loss(outputs.astype(jnp.float32), targets, importance) / number

    gradient = make_gradient(loss_of)

    @jax.jit
    def update(groups, images, truth):
        batch = images[..., None], *tracking_targets(truth)
        number = np.float32(len(images))
        loss, gradients = gradient(groups["weights"], batch, number)
        return apply_gradients(recipe, optimizer, groups, gradients), loss

    return update
