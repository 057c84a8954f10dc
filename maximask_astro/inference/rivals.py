"""
Classes that look alike: which of two takes a pixel that is called both.

How likely a class is counts in units of what its threshold asks for: the odds of its
posterior probability over those of the threshold. Posterior probabilities as such
would favor the class with the higher prior or the lower threshold, whatever the pixel
looks like; a threshold says which odds of a class are as much as nothing, and was found
on exposures with both.
"""

import math

__all__ = ["LIKELIER", "beaten_codes"]

# A class loses a pixel to a rival whose odds, in units of their threshold, are more
# than so many times its own. Where both are truly there, as in a trail that crosses a
# spike, the network is sure of both, and both stay.
LIKELIER = 4.0


def beaten_codes(odds, log_odds, codes, pairs):
    """
    Find what is called by mistake, because it looks like something likelier.

    Parameters
    ----------
    odds : array
        Natural logarithms of the posterior odds, shape (..., classes).

    log_odds : array
        The same of the thresholds, shape (classes,). A class whose threshold is 0
        is called everywhere, and is nobody's rival.

    codes : array
        uint32, shape (classes,): bits that stand for the classes.

    pairs : tuple of tuple of two int
        Pairs of rivals, as positions along the last axis; see
        `maximask_astro.flags.rival_positions`. Static.

    Returns
    -------
    beaten : array
        uint32, shape (...): the codes, ORed, of classes that lose the pixel to a
        rival. Take them out of the verdicts: ``codes & ~beaten``.
    """
    import jax.numpy as jnp

    # NaN is neither more nor less than anything.
    limits = jnp.where(jnp.isfinite(log_odds), log_odds, jnp.nan)
    beaten = jnp.zeros(odds.shape[:-1], jnp.uint32)
    for first, second in pairs:
        lead = (odds[..., first] - limits[first]) - (odds[..., second] - limits[second])
        loser = jnp.where(lead > 0, codes[second], codes[first])
        decided = jnp.abs(lead) > math.log(LIKELIER)
        beaten |= jnp.where(decided, loser, 0).astype(jnp.uint32)
    return beaten
