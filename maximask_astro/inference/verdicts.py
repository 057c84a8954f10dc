"""What is done on the device before the network and after it."""

from dataclasses import dataclass

import numpy as np

from maximask_astro.background import FULL
from maximask_astro.inference.rivals import beaten_codes

__all__ = ["ClassDecision", "judge", "normalize", "numbers_of"]


@dataclass(frozen=True)
class ClassDecision:
    """
    How the logit of one channel becomes a verdict.

    Parameters
    ----------
    channel : int
        Channel of the network's output.

    log_factor : float
        Shift of the logit, from `maximask_astro.inference.log_prior_factor`.

    threshold : float
        The verdict is yes where the posterior probability is above this.

    code : int
        Bit that stands for a yes.
    """

    channel: int
    log_factor: float
    threshold: float
    code: int


def normalize(images, sky):
    """
    Subtract the sky and divide by its noise: `Sky.normalize`, on the device.

    Parameters
    ----------
    images : array
        Shape (batch, height, width).

    sky : dict of str to array
        From `SkyReader`: ``arrays``, one for each image, and ``limits``.

    Returns
    -------
    normalized : array
        Shape (batch, height, width, 1).
    """
    import jax
    import jax.numpy as jnp

    def surface(name):
        values = jnp.einsum(
            "byi,bij,bxj->byx",
            sky["down"],
            sky[name],
            sky["across"],
            precision=jax.lax.Precision.HIGHEST,
        )
        return jnp.clip(values, *sky[f"{name}_range"])

    noise = surface("noise")
    noise = jnp.where(noise > 0, noise, sky["replacement"])
    full = images >= sky["full"]
    images = jnp.clip(images, *sky["range"]) - sky["pivot"]
    images = (images - surface("level")) / noise
    return jnp.where(full, FULL, images)[..., None]


def numbers_of(decisions):
    """
    Put into arrays what the device must know of decisions.

    Parameters
    ----------
    decisions : sequence of `ClassDecision`
        The decisions.

    Returns
    -------
    numbers : dict of str to `~numpy.ndarray`
        For `judge`.
    """
    thresholds = np.array([d.threshold for d in decisions], np.float64)
    with np.errstate(divide="ignore"):
        log_odds = np.log(thresholds) - np.log1p(-thresholds)
    return {
        "log_factors": np.array([d.log_factor for d in decisions], np.float32),
        "thresholds": thresholds.astype(np.float32),
        "log_odds": log_odds.astype(np.float32),
        "codes": np.array([d.code for d in decisions], np.uint32),
    }


def judge(logits, decisions, channels, probabilities, rivals=()):
    """
    Turn logits into verdicts.

    Parameters
    ----------
    logits : array
        Shape (batch, height, width, all channels).

    decisions : dict of str to array
        From `numbers_of`.

    channels : tuple of int
        The channels that they are about.

    probabilities : bool
        Whether to return posterior probabilities, too.

    rivals : tuple of tuple of two int, optional
        Pairs of these that look alike, see
        `~maximask_astro.inference.rivals.beaten_codes`.

    Returns
    -------
    codes : array
        uint32, shape (batch, height, width): the codes of all verdicts, ORed.

    planes : array or None
        Probabilities, shape (batch, channels, height, width).
    """
    import jax
    import jax.numpy as jnp

    if channels != tuple(range(logits.shape[-1])):
        logits = logits[..., jnp.array(channels)]
    odds = logits - decisions["log_factors"]
    # Above a threshold of the probability, by its logarithm of the odds.
    above = odds > decisions["log_odds"]
    codes = jnp.where(above, decisions["codes"], 0).sum(-1, dtype=jnp.uint32)
    if rivals:
        codes &= ~beaten_codes(odds, decisions["log_odds"], decisions["codes"], rivals)
    if not probabilities:
        return codes, None
    return codes, jnp.moveaxis(jax.nn.sigmoid(odds), -1, 1)
