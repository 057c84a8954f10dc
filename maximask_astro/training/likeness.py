"""
Train what tells images that are unlike exposures.

A small network learns to tell patches of exposures from patches of other pictures, and
with that tells apart what it has never seen of either (outlier exposure: Hendrycks,
Mazeika & Dietterich 2019, ICLR). How unusual an image is, is then measured on exposures
that it has not learned from.
"""

from functools import partial

import numpy as np
from tqdm import tqdm

from maximask_astro.background import array_reader
from maximask_astro.inference import PatchReader, image_score
from maximask_astro.networks import likeness_shapes, patch_logits

__all__ = ["patches_of", "train_likeness"]

_BATCH, _RATE, _DECAY = 64, 2e-3, 1e-3

# Quantiles of their scores that are kept.
_N_SCORES = 2001


def patches_of(image):
    """
    Take patches of an image.

    Parameters
    ----------
    image : array_like
        Two-dimensional.

    Returns
    -------
    patches : `~numpy.ndarray`
        float32, see `~maximask_astro.inference.PatchReader`.
    """
    image = np.asarray(image, np.float32)
    return PatchReader(array_reader(image), image.shape).patches()


def _first_weights(rng):
    """Weights that keep the signal's strength; the last ones are zero."""
    weights = {}
    for path, shape in likeness_shapes().items():
        size = np.prod(shape[:-1]) if path.endswith("kernel") else np.inf
        factor = 0.0 if path.startswith("out") else np.sqrt(2 / size)
        weights[path] = (factor * rng.standard_normal(shape)).astype(np.float32)
    return weights


def _step_of(steps):
    """A step of training, compiled (AdamW, with a rate that falls as a cosine)."""
    import jax
    import jax.numpy as jnp

    def loss_of(weights, patches, signs):
        return jax.nn.softplus(-signs * patch_logits(weights, patches)).mean()

    @jax.jit
    def step(state, patches, signs, number):
        weights, first, second = state
        loss, slope = jax.value_and_grad(loss_of)(weights, patches, signs)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, second, slope)
        rate = _RATE / 2 * (1 + jnp.cos(jnp.pi * number / steps))

        def changed(w, m, v):
            m, v = m / (1 - 0.9**number), v / (1 - 0.99**number)
            return w - rate * (m / (jnp.sqrt(v) + 1e-7) + _DECAY * w)

        return (jax.tree.map(changed, weights, first, second), first, second), loss

    return step


def _turned(rng, patches):
    """The same, mirrored or turned, all alike."""
    patches = patches[:, :: rng.choice([1, -1]), :: rng.choice([1, -1])]
    return patches.swapaxes(1, 2) if rng.uniform() < 0.5 else patches


def train_likeness(
    exposures, pictures, held_out, *, steps=3000, seed=1, progress_bar=False
):
    """
    Train what tells images that are unlike exposures.

    Parameters
    ----------
    exposures : list of `~numpy.ndarray`
        Patches of each exposure to learn from, from `patches_of`.

    pictures : list of `~numpy.ndarray`
        Patches of each of other pictures.

    held_out : list of `~numpy.ndarray`
        Patches of each of the exposures that others are compared with; none that is
        learned from.

    steps : int, optional
        Steps of training.

    seed : int, optional
        Seed.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    likeness : dict of str to `~numpy.ndarray`
        For a `~maximask_astro.weights.LoadedModel`: the weights, and ``scores``,
        quantiles of the scores of the exposures that are held out.
    """
    rng = np.random.default_rng(seed)
    sides = [np.concatenate(patches) for patches in (exposures, pictures)]
    state = _first_weights(rng)
    zeros = {path: np.zeros_like(values) for path, values in state.items()}
    state, step = (state, zeros, zeros), _step_of(steps)
    signs = np.repeat([-1.0, 1.0], _BATCH).astype(np.float32)
    for number in tqdm(range(1, steps + 1), disable=not progress_bar):
        drawn = [side[rng.integers(len(side), size=_BATCH)] for side in sides]
        patches = _turned(rng, np.concatenate(drawn).astype(np.float32))
        state, _ = step(state, patches, signs, np.float32(number))
    weights = {path: np.asarray(values) for path, values in state[0].items()}
    scores = map(partial(image_score, weights), held_out)
    scores = [score for score in scores if score is not None]
    quantiles = np.quantile(scores, np.linspace(0, 1, _N_SCORES))
    return {**weights, "scores": quantiles.astype(np.float32)}
